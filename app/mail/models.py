"""The outbox: every mail of the site, before, while and after it is sent."""

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
    # It holds something that must not stay here: its words are removed once it is sent.
    is_secret: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(7), default="queued")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    # Times nobody could say whether it arrived; it is sent again once.
    unknowns: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, default=utcnow)
    sending_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
