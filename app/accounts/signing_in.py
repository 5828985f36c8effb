"""Signing in, as one verb: slow for everybody alike, and only so often."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts import audit, passwords, sessions, throttle, users
from app.accounts.models import User
from app.db import writing


def sign_in(email: str, password: str, *, address: str) -> User | None:
    """Open a session for whoever has this address and password; None if nobody has.

    Takes the same time for an address without an account. Raises `Throttled`.
    """
    user_id = check_password(email, password, address=address)
    return None if user_id is None else enter(user_id)


def enter(user_id: int) -> User | None:
    """Open a session for this account in this browser; None if the account was disabled meanwhile."""
    with writing() as session:
        user = session.scalar(select(User).where(User.id == user_id, User.is_enabled))
        if user is None:
            return None
        token = sessions.open_session(session, user)
        audit.record(session, "signed_in", f"user:{user.id}", actor=user.email)
    sessions.keep_in_cookie(user, token)
    return user


def check_password(email: str, password: str, *, address: str) -> int | None:
    """Give the number of the account whose password this is; each wrong one counts. Raises `Throttled`."""
    with writing() as session:
        attempt_id = throttle.reserve(session, kind="sign_in", account=email.strip(), address=address)
        user = users.find(session, email)
        user_id, known_hash = (user.id, user.password_hash) if user else (None, None)
        may_enter = user is not None and user.is_enabled
    is_right = passwords.verify(known_hash, password)
    if not is_right or not may_enter or known_hash is None or user_id is None:
        # The same work with and without an account, so that the time tells nothing.
        with writing() as session:
            audit.record(session, "sign_in_failed", f"user:{user_id or 'unknown'}")
        return None
    _succeeded(attempt_id, user_id, known_hash, password)
    return user_id


def _succeeded(attempt_id: int, user_id: int, known_hash: str, password: str) -> None:
    better = passwords.hash_password(password) if passwords.needs_rehash(known_hash) else None
    with writing() as session:
        throttle.forget(session, attempt_id)
        if better:
            users.keep_better_hash(session, user_id, old=known_hash, new=better)
