"""Sending a mail of the outbox once more because an admin says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.mail.delivery import send_later
from app.mail.models import OutboxMail

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class NotResent(ValueError):
    """The mail cannot be sent again; the message says why."""


def resend(session: Session, mail_id: int) -> OutboxMail | None:
    """Put a mail back into the queue, with the same Message-ID; None if there is no such mail."""
    mail = session.get(OutboxMail, mail_id, populate_existing=True, with_for_update=True)
    if mail is None:
        return None
    if mail.status in {"queued", "sending"}:
        raise NotResent(f"it is {mail.status} already")
    if mail.status == "sent" and mail.is_secret:
        raise NotResent("it held a secret, which was removed when it was sent")
    # A person has looked: what nobody could say before is no reason any more.
    mail.status, mail.error, mail.sent_at, mail.sender = "queued", None, None, None
    mail.attempts = mail.unknowns = 0
    session.flush()
    send_later(session, mail.id, priority=1)
    return mail
