"""Writing a mail: rendered once, kept in the outbox in the caller's transaction."""

from __future__ import annotations

import hashlib
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final

from flask import current_app, render_template
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.mail.models import OutboxMail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

_SUBJECT_LENGTH: Final = 200


def queue_mail(  # noqa: PLR0913 - a mail is that much
    session: Session,
    *,
    key: str,
    kind: str,
    to: str,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    thread: str | None = None,
    user_id: int | None = None,
    reply_to: str | None = None,
    list_id: str | None = None,
    unsubscribe_url: str | None = None,
    is_secret: bool = False,
) -> OutboxMail:
    """Put one mail into the outbox; the same `key` again gives the mail that is there already.

    Renders mail/<template>.txt and mail/<template>.html with `context`, `subject` and `site_url`. All
    mails of one `thread` are shown together by mail programs. Run `app.mail.jobs.DeliverMailJob` for it.
    """
    known = _find(session, key)
    if known is not None:
        return known
    line = one_line(subject)[:_SUBJECT_LENGTH]
    site = {"site_url": current_app.config["SITE_URL"], "unsubscribe_url": unsubscribe_url}
    values = {"subject": line, **site, **context}
    mail = OutboxMail(
        dedupe_key=key,
        kind=kind,
        user_id=user_id,
        to=one_line(to),
        subject=line,
        text=render_template(f"mail/{template}.txt", **values),
        html=render_template(f"mail/{template}.html", **values),
        message_id=message_id(kind, key),
        references=message_id("thread", thread) if thread else None,
        reply_to=one_line(reply_to) if reply_to else None,
        list_id=one_line(list_id) if list_id else None,
        unsubscribe_url=unsubscribe_url,
        is_secret=is_secret,
    )
    return _add(session, mail)


def message_id(kind: str, key: str) -> str:
    """Give the Message-ID that always belongs to this key."""
    host = parseaddr(current_app.config["MAIL_DEFAULT_SENDER"])[1].rpartition("@")[2]
    return f"<{kind}.{hashlib.sha256(key.encode()).hexdigest()[:20]}@{host}>"


def one_line(text: str) -> str:
    """Make it fit for a header: titles and names are written by people, and must not add headers."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _find(session: Session, key: str) -> OutboxMail | None:
    return session.scalar(select(OutboxMail).where(OutboxMail.dedupe_key == key))


def _add(session: Session, mail: OutboxMail) -> OutboxMail:
    """Store it; where two transactions write the same mail at once, the first one's is it."""
    try:
        with session.begin_nested():
            session.add(mail)
    except IntegrityError:
        known = _find(session, mail.dedupe_key)
        if known is None:
            raise
        return known
    return mail
