"""The tables of accounts: people, their sessions, what they tried, what was changed."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId, UtcDateTime

ROLES: Final = ("admin", "instructor", "student")
EMAIL_LENGTH: Final = 254
NAME_LENGTH: Final = 100


def utcnow() -> dt.datetime:
    """Give the time as the tables keep it."""
    return dt.datetime.now(dt.UTC)


class User(Base):
    """A person with an account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"role IN {ROLES}", name="role"),
        # Numbers are never used again: the audit log must not speak of another person.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # Lower case always, so that one address is one account.
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    first_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    last_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    role: Mapped[str] = mapped_column(String(10), default="student", index=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    is_enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)

    # The attributes below, without `Mapped`, are of this moment and not columns.
    __allow_unmapped__ = True

    # What Flask-Login keeps in the cookie; set when the session is opened or found.
    session_token: str | None = None
    # When this browser was seen last, as the session's row says.
    last_seen_at: dt.datetime | None = None
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Flask-Login's name for `is_enabled`."""
        return self.is_enabled

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def is_admin(self) -> bool:
        """Whether this person runs the site."""
        return self.role == "admin"

    @property
    def is_instructor(self) -> bool:
        """Whether this person teaches."""
        return self.role == "instructor"

    @property
    def is_student(self) -> bool:
        """Whether this person hands in work."""
        return self.role == "student"

    def get_id(self) -> str:
        """Give Flask-Login the session's token: the cookie names a session, not a person."""
        if self.session_token is None:
            raise LookupError(f"user {self.id} has no open session")
        return self.session_token


class SignedInSession(Base):
    """One browser that is signed in; without its row a cookie is worth nothing."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    last_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class LoginAttempt(Base):
    """Something that may be tried only so often; what was typed is kept as a hash only."""

    __tablename__ = "login_attempts"
    __table_args__ = (
        Index("ix_login_attempts_account", "kind", "account_hash", "at"),
        Index("ix_login_attempts_address", "kind", "address_hash", "at"),
        Index("ix_login_attempts_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    account_hash: Mapped[str] = mapped_column(String(64))
    address_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class PasswordReset(Base):
    """A link that sets a new password, once; the link itself is not kept, only its hash."""

    __tablename__ = "password_resets"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Registration(Base):
    """Somebody wants an account and has not shown yet that the address is theirs; the link makes it, once."""

    __tablename__ = "registrations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    first_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    last_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class AuditEvent(Base):
    """Who changed what, when and from where; rows are only ever added."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_subject", "subject", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # The person's address, or "cli:<user of the machine>", or "anonymous".
    actor: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    # Where from: an IP address, or "cli".
    address: Mapped[str] = mapped_column(String(64))
    # Past tense: signed_in, role_changed, password_changed, ...
    action: Mapped[str] = mapped_column(String(40))
    # What it was done to, like "user:3".
    subject: Mapped[str] = mapped_column(String(100))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)


def _refuse(_mapper: Any, _connection: Any, row: AuditEvent) -> None:
    raise PermissionError(f"audit event {row.id} cannot be changed or removed")


event.listen(AuditEvent, "before_update", _refuse)
event.listen(AuditEvent, "before_delete", _refuse)
