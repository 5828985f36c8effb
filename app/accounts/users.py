"""What can be done with an account: each verb one function, for pages and command line alike.

They run inside `with writing()`; hashes are made before, outside of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from app.accounts import audit, sessions
from app.accounts.models import ROLES, PasswordReset, User

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class AccountError(ValueError):
    """Something that was asked for an account cannot be; the message says what and why."""


class NoSuchAccount(AccountError):
    """No account has that address."""

    def __init__(self, email: str) -> None:
        """Name the address that was asked for."""
        super().__init__(f"there is no account {email}")


class EmailTaken(AccountError):
    """An account with that address exists already."""

    def __init__(self, email: str) -> None:
        """Name the address."""
        super().__init__(f"there is an account {email} already")


class LastAdmin(AccountError):
    """Without this account nobody could run the site."""

    def __init__(self) -> None:
        """Say what to do first."""
        super().__init__("this is the only enabled admin: make another one first")


def normalise_email(text: str) -> str:
    """Give an address as it is stored; raises `AccountError` when it is none."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise AccountError(f"{text.strip()[:100]!r} is not an e-mail address: {error}") from None
    return found.normalized.lower()


def find(session: Session, email: str) -> User | None:
    """Find the account of an address, however it is written."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def get(session: Session, email: str) -> User:
    """Find the account of an address; raises `NoSuchAccount`."""
    user = find(session, email)
    if user is None:
        raise NoSuchAccount(email)
    return user


def create(
    session: Session, *, email: str, first_name: str, last_name: str, role: str, password_hash: str
) -> User:
    """Add an account; raises `EmailTaken`."""
    if role not in ROLES:
        raise AccountError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    address = normalise_email(email)
    if find(session, address) is not None:
        raise EmailTaken(address)
    user = User(
        email=address,
        first_name=checked_name(first_name, "first name"),
        last_name=checked_name(last_name, "last name"),
        role=role,
        password_hash=password_hash,
    )
    session.add(user)
    session.flush()
    audit.record(session, "account_created", f"user:{user.id}", after=f"{address}, {role}")
    return user


def rename(session: Session, user: User, *, first_name: str, last_name: str) -> None:
    """Give the person another name."""
    before = user.full_name
    user.first_name, user.last_name = (
        checked_name(first_name, "first name"),
        checked_name(last_name, "last name"),
    )
    if user.full_name != before:
        audit.record(session, "renamed", f"user:{user.id}", before=before, after=user.full_name)


def set_role(session: Session, user: User, role: str) -> None:
    """Change what the person may do; it holds at once and ends their sessions."""
    if role not in ROLES:
        raise AccountError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    if role == user.role:
        return
    if user.is_admin:
        _keep_an_admin(session, user)
    audit.record(session, "role_changed", f"user:{user.id}", before=user.role, after=role)
    user.role = role
    sessions.close_all(session, user.id)


def set_password(session: Session, user: User, password_hash: str, *, actor: str | None = None) -> None:
    """Change the password; it ends all sessions and makes links of earlier mails worthless."""
    user.password_hash = password_hash
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
    sessions.close_all(session, user.id)
    audit.record(session, "password_changed", f"user:{user.id}", actor=actor)


def keep_better_hash(session: Session, user_id: int, *, old: str, new: str) -> None:
    """Store the same password hashed with today's parameters, unless it was changed meanwhile."""
    mine = update(User).where(User.id == user_id, User.password_hash == old)
    session.execute(mine.values(password_hash=new))


def set_enabled(session: Session, user: User, *, is_enabled: bool) -> None:
    """Let the person sign in, or no longer; their work stays."""
    if is_enabled == user.is_enabled:
        return
    if user.is_admin and not is_enabled:
        _keep_an_admin(session, user)
    user.is_enabled = is_enabled
    sessions.close_all(session, user.id)
    audit.record(session, "enabled" if is_enabled else "disabled", f"user:{user.id}")


def _keep_an_admin(session: Session, leaving: User) -> None:
    others = select(User.id).where(User.role == "admin", User.is_enabled, User.id != leaving.id)
    if leaving.is_enabled and session.scalar(others.limit(1)) is None:
        raise LastAdmin


def checked_name(text: str, what: str) -> str:
    """Give a name as it is stored: one line, no invisible characters."""
    name = " ".join(text.split())
    if not name or len(name) > 100:  # noqa: PLR2004 - as the sentence says
        raise AccountError(f"the {what} must have 1 to 100 characters")
    if not name.isprintable():
        raise AccountError(f"the {what} has characters that cannot be seen")
    return name
