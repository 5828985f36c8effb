"""A forgotten password: a link by mail that works once and for an hour."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Final

from flask import current_app
from sqlalchemy import Select, select, update

from app.accounts import users
from app.accounts.models import PasswordReset, User, utcnow
from app.accounts.sessions import hash_token
from app.mail.outbox import queue_mail
from app.runner import run_background_job

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

VALID_FOR: Final = dt.timedelta(hours=1)


def send_link(session: Session, email: str) -> None:
    """Queue the mail with the link, if the address has an account; nobody is told whether it has."""
    user = users.find(session, email)
    if user is None or not user.is_enabled:
        return
    now, token = utcnow(), secrets.token_urlsafe(32)
    reset = PasswordReset(
        token_hash=hash_token(token),
        user_id=user.id,
        created_at=now,
        expires_at=now + VALID_FOR,
        used_at=None,
    )
    session.add(reset)
    session.flush()
    mail = queue_mail(
        session,
        key=f"password-reset:{reset.id}",
        kind="password-reset",
        to=user.email,
        subject="Set a new password",
        template="password_reset",
        context={
            "user": user,
            "url": f"{current_app.config['SITE_URL']}/reset-password/{token}",
            "minutes": 60,
        },
        user_id=user.id,
        is_secret=True,
    )
    run_background_job("app.mail.jobs.DeliverMailJob", "handle", [mail.id], priority=1, session=session)


def is_usable(session: Session, token: str) -> bool:
    """Tell whether the link would work; looking does not use it up, mail scanners look too."""
    return session.scalar(_usable(token)) is not None


def redeem(session: Session, token: str, password_hash: str) -> User | None:
    """Use the link: set the password; None if the link was used before, is over or never was."""
    now = utcnow()
    claim = update(PasswordReset).where(
        PasswordReset.token_hash == hash_token(token),
        PasswordReset.used_at.is_(None),
        PasswordReset.expires_at > now,
    )
    user = session.scalar(_usable(token))
    if user is None or session.connection().execute(claim.values(used_at=now)).rowcount != 1:
        return None
    users.set_password(session, user, password_hash, actor=user.email)
    return user


def _usable(token: str) -> Select[User]:
    return (
        select(User)
        .join(PasswordReset, PasswordReset.user_id == User.id)
        .where(
            PasswordReset.token_hash == hash_token(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > utcnow(),
            User.is_enabled,
        )
    )
