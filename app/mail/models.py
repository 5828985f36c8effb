"""The outbox: every mail of the site, before, while and after it is sent; and who wants which."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId, UtcDateTime

# queued   waiting for its job               sending  a job is talking to the mail server
# sent     the mail server took it           failed   the mail server will never take it
# unknown  the connection broke after the mail was handed over: it may have arrived
# kept     no mail server is set: it stays here, for the admin to read
STATUSES: Final = ("queued", "sending", "sent", "failed", "unknown", "kept")

# every  at once              ends    of the first attempt, and of the newest once the deadline is over
# digest once a day, together none    never
CHOICES: Final = ("every", "ends", "digest", "none")
# What a person chooses about: receipts and grades of one's own work, alarms about the courses one teaches.
SCOPES: Final = ("receipts", "grades", "alarms")


def utcnow() -> dt.datetime:
    """Give the time as the table keeps it."""
    return dt.datetime.now(dt.UTC)


class OutboxMail(Base):
    """One mail to one person."""

    __tablename__ = "outbox_mails"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        Index("ix_outbox_mails_status_newest", "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # What the mail is about, once: kind:submission:version. The same key is the same mail.
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    # Follows from the key: when a mail has to go out twice, mailboxes can tell that it is one.
    message_id: Mapped[str] = mapped_column(String(200))
    # The Message-ID that all mails of one thread refer to.
    references: Mapped[str | None] = mapped_column(String(200))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    list_id: Mapped[str | None] = mapped_column(String(254))
    # Where one POST ends mails of this kind, signed in or not; NULL for those that cannot be ended.
    unsubscribe_url: Mapped[str | None] = mapped_column(String(300))
    # It holds something that must not stay here: its words are removed once it is sent.
    is_secret: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(7), default="queued")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    # Times nobody could say whether it arrived; it is sent again once.
    unknowns: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)
    sending_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # Which attempt of which job sends it, "job:attempt": a later attempt of the job proves that one dead.
    sender: Mapped[str | None] = mapped_column(String(40))
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class MailPreference(Base):
    """Which mails a person wants; no course has a say in it. Without a row it is `every`."""

    __tablename__ = "mail_preferences"
    __table_args__ = tuple(CheckConstraint(f"{scope} IN {CHOICES}", name=scope) for scope in SCOPES)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    receipts: Mapped[str] = mapped_column(String(6), default="every")
    grades: Mapped[str] = mapped_column(String(6), default="every")
    alarms: Mapped[str] = mapped_column(String(6), default="every")
    # Random; whoever has one of the person's mails may end them with it, and do nothing else.
    token: Mapped[str] = mapped_column(String(43), unique=True)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)


class DigestItem(Base):
    """What a person is told in the next digest instead of by a mail of its own; deleted with that."""

    __tablename__ = "mail_digest_items"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # The same key is the same news, as with mails.
    dedupe_key: Mapped[str] = mapped_column(String(200), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(String(300))
    fact: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)


class RefusedAddress(Base):
    """An address that a mail server refused for good; forgotten as soon as it takes a mail again."""

    __tablename__ = "mail_refused_addresses"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    refused_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)
