"""How often something may be tried: counted in the database, so that all processes share the count.

An attempt is written down before it is made and taken back when it succeeds, so that many
at the same moment cannot slip through. Nothing is ever locked: the window moves on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import current_app
from sqlalchemy import ColumnElement, delete, func, select
from werkzeug.exceptions import TooManyRequests

from app.accounts.models import LoginAttempt, utcnow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WINDOW: Final = dt.timedelta(minutes=5)


class Limit(NamedTuple):
    """How many attempts one window has room for."""

    per_account: int
    per_address: int
    overall: int


LIMITS: Final = {
    "sign_in": Limit(10, 10, 1000),
    # Mails go to people who may not have asked for them.
    "reset": Limit(3, 20, 200),
    # A whole class registers from behind one address; each time a mail goes out.
    "register": Limit(5, 100, 1000),
}


class Throttled(TooManyRequests):
    """Too many attempts; the oldest that counts leaves the window in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        """Say how long there is to wait."""
        minutes = max(1, round(retry_after / 60))
        words = f"Too many attempts. Try again in about {minutes} minute{'s' if minutes > 1 else ''}."
        super().__init__(words, retry_after=retry_after)


def reserve(session: Session, *, kind: str, account: str, address: str) -> int:
    """Write down that something is about to be tried, and give its number.

    Raises `Throttled` when the window has no room; then nothing is written.
    """
    now = utcnow()
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    attempt = LoginAttempt(
        kind=kind, account_hash=digest(account), address_hash=digest(network(address)), at=now
    )
    limit = LIMITS[kind]
    _refuse_when_full(session, kind, limit.per_account, LoginAttempt.account_hash == attempt.account_hash)
    _refuse_when_full(session, kind, limit.per_address, LoginAttempt.address_hash == attempt.address_hash)
    _refuse_when_full(session, kind, limit.overall)
    session.add(attempt)
    session.flush()
    return attempt.id


def forget(session: Session, attempt_id: int) -> None:
    """Take back an attempt that succeeded; those that failed before it still count."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.id == attempt_id))


def digest(text: str) -> str:
    """Hash what was typed with the site's key: a typing error may well be a password."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, text.casefold().encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def network(address: str) -> str:
    """Give the part of an address that one person holds: with IPv6 that is a /64."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:  # noqa: PLR2004 - the protocol's number
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))


def _refuse_when_full(session: Session, kind: str, limit: int, *where: ColumnElement[bool]) -> None:
    found = select(func.count(), func.min(LoginAttempt.at)).where(LoginAttempt.kind == kind, *where)
    count, oldest = session.execute(found).one()
    if count >= limit:
        left = oldest + WINDOW - utcnow() if oldest else WINDOW
        raise Throttled(max(1, round(left.total_seconds())))
