"""Sessions: rows in the database. The cookie holds a random token that names one."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from flask import current_app, request
from flask import session as cookie
from flask_login import current_user, login_user, logout_user
from sqlalchemy import delete, select, update

from app.accounts.models import SignedInSession, User, utcnow
from app.accounts.throttle import digest
from app.db import db, writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Written down at most so often: a page that polls must not write each time.
_TOUCH_EVERY: Final = dt.timedelta(seconds=60)


def hash_token(token: str) -> str:
    """Hash a random token for keeping; it is long enough that a plain hash will do."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def open_session(session: Session, user: User) -> str:
    """Add a session of this person and give its token; sessions past their time are removed."""
    now = utcnow()
    longest = dt.timedelta(seconds=current_app.config["SESSION_MAXIMUM_SECONDS"])
    session.execute(delete(SignedInSession).where(SignedInSession.created_at < now - longest))
    token = secrets.token_urlsafe(32)
    session.add(
        SignedInSession(
            token_hash=hash_token(token),
            user_id=user.id,
            address_hash=digest(request.remote_addr or ""),
            created_at=now,
            last_seen_at=now,
        )
    )
    return token


def keep_in_cookie(user: User, token: str) -> None:
    """Give the browser its new session; nothing of the cookie it had before is kept."""
    cookie.clear()
    user.session_token = token
    login_user(user)


def close_session() -> None:
    """Sign this browser out: the row goes first, so that a copy of the cookie is worth nothing."""
    if current_user.is_authenticated:
        token = current_user.get_id()
        with writing() as session:
            session.execute(delete(SignedInSession).where(SignedInSession.token_hash == hash_token(token)))
    logout_user()
    cookie.clear()


def close_all(session: Session, user_id: int) -> None:
    """Sign this person out everywhere."""
    session.execute(delete(SignedInSession).where(SignedInSession.user_id == user_id))


def load_user(token: str) -> User | None:
    """Find who a cookie speaks of, with the role of this moment; None if its session is over."""
    query = (
        select(User, SignedInSession)
        .join(SignedInSession, SignedInSession.user_id == User.id)
        .where(SignedInSession.token_hash == hash_token(token), User.is_enabled)
    )
    found = db.session.execute(query).first()
    if found is None:
        return None
    user, row = found
    if _is_over(user, row):
        return None
    user.session_token = token
    user.last_seen_at = row.last_seen_at
    return user


def _is_over(user: User, row: SignedInSession) -> bool:
    config = current_app.config
    idle = config["SESSION_IDLE_STUDENT_SECONDS" if user.is_student else "SESSION_IDLE_STAFF_SECONDS"]
    now = utcnow()
    has_idled = row.last_seen_at < now - dt.timedelta(seconds=idle)
    return has_idled or row.created_at < now - dt.timedelta(seconds=config["SESSION_MAXIMUM_SECONDS"])


def touch_session() -> None:
    """Before each request: find out who is there, and now and then write down that they were."""
    if request.endpoint == "static" or not current_user.is_authenticated:
        return
    now = utcnow()
    if current_user.last_seen_at < now - _TOUCH_EVERY:
        token_hash = hash_token(current_user.get_id())
        with writing() as session:
            mine = update(SignedInSession).where(SignedInSession.token_hash == token_hash)
            session.execute(mine.values(last_seen_at=now))
