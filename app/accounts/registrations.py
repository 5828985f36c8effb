"""Registering: the link in a mail makes the account, so that nobody learns which addresses have one.

Without a mail server nobody could read the link. There the account is made at once; the page still
says the same for an address that is taken.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Final

from flask import current_app
from sqlalchemy import delete, select

from app.accounts import users
from app.accounts.models import Registration, utcnow
from app.accounts.sessions import hash_token
from app.mail.outbox import queue_mail
from app.runner import run_background_job

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

VALID_FOR: Final = dt.timedelta(days=1)


def ask(session: Session, *, email: str, first_name: str, last_name: str, password_hash: str) -> None:
    """Queue the mail that goes to the address: the link, or that there is an account already."""
    now, token = utcnow(), secrets.token_urlsafe(32)
    session.execute(delete(Registration).where(Registration.expires_at < now))
    asked = Registration(
        token_hash=hash_token(token),
        email=users.normalise_email(email),
        first_name=users.checked_name(first_name, "first name"),
        last_name=users.checked_name(last_name, "last name"),
        password_hash=password_hash,
        created_at=now,
        expires_at=now + VALID_FOR,
    )
    session.add(asked)
    session.flush()
    owner = users.find(session, asked.email)
    if owner is not None:
        session.delete(asked)
        _write(session, asked, "address_taken", owner.first_name, f"{_site()}/forgot-password")
    elif current_app.config["MAIL_SERVER"]:
        _write(
            session, asked, "registration", asked.first_name, f"{_site()}/register/{token}", is_secret=True
        )
    else:
        _make(session, asked)
        _write(session, asked, "welcome", asked.first_name, f"{_site()}/sign-in")


def is_usable(session: Session, token: str) -> bool:
    """Tell whether the link would work."""
    asked = _find(session, token)
    return asked is not None and users.find(session, asked.email) is None


def redeem(session: Session, token: str) -> int | None:
    """Make the account and give its number; None if the link was used, is over, or never was."""
    asked = _find(session, token)
    if asked is None or users.find(session, asked.email) is not None:
        return None
    return _make(session, asked)


def _find(session: Session, token: str) -> Registration | None:
    mine = (Registration.token_hash == hash_token(token)) & (Registration.expires_at > utcnow())
    return session.scalar(select(Registration).where(mine))


def _make(session: Session, asked: Registration) -> int:
    user = users.create(
        session,
        email=asked.email,
        first_name=asked.first_name,
        last_name=asked.last_name,
        role="student",
        password_hash=asked.password_hash,
    )
    session.execute(delete(Registration).where(Registration.email == asked.email))
    return user.id


def _write(
    session: Session,
    asked: Registration,
    template: str,
    first_name: str,
    url: str,
    *,
    is_secret: bool = False,
) -> None:
    subjects = {
        "address_taken": "You have an account already",
        "registration": "Confirm your account",
        "welcome": "Your account is ready",
    }
    mail = queue_mail(
        session,
        key=f"{template}:{asked.id}:{asked.token_hash[:16]}",
        kind=template.replace("_", "-"),
        to=asked.email,
        subject=subjects[template],
        template=template,
        context={"first_name": first_name, "url": url},
        is_secret=is_secret,
    )
    session.flush()
    run_background_job("app.mail.jobs.DeliverMailJob", "handle", [mail.id], priority=1, session=session)


def _site() -> str:
    return str(current_app.config["SITE_URL"])
