"""Delivering a mail of the outbox: queued, sending, sent, each step committed.

SMTP has no "only once". A mail that was handed over when the line broke may have arrived: it is
`unknown`, and is sent again one time, with the same Message-ID, so that mailboxes drop the double.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import current_app
from sqlalchemy import or_, update

from app.db import db, writing
from app.mail import smtp
from app.mail.models import OutboxMail, utcnow
from app.runner import Abort, Retry

# Longer than a job that delivers may take: whoever has been `sending` for so long is dead.
LEASE: Final = dt.timedelta(seconds=90)

# Once more after the first time, never a third.
MAX_UNKNOWNS: Final = 2

_GONE_WORDS: Final = "This mail held a secret. What it said was removed when it was sent.\n"


def deliver(mail_id: int) -> str:
    """Send one mail of the outbox and give its new status.

    Raises `Retry` when it may work later and `Abort` when it never will. A mail that was sent is
    not sent again, however often this is called.
    """
    mail = db.session.get(OutboxMail, mail_id, populate_existing=True)
    if mail is None:
        raise Abort(f"there is no mail {mail_id} in the outbox")
    if mail.status == "sent":
        return "sent"
    if not current_app.config["MAIL_SERVER"]:
        return _keep(mail_id)
    if not _claim(mail_id):
        return _explain(db.session.get_one(OutboxMail, mail_id, populate_existing=True))
    mail = db.session.get_one(OutboxMail, mail_id, populate_existing=True)
    report = smtp.send(mail)
    return _settle(mail, report)


def _keep(mail_id: int) -> str:
    with writing() as session:
        mine = update(OutboxMail).where(OutboxMail.id == mail_id, OutboxMail.status == "queued")
        session.execute(mine.values(status="kept"))
    return "kept"


def _claim(mail_id: int) -> bool:
    """Take the mail for sending, unless another process is at it right now."""
    now = utcnow()
    is_free = or_(
        OutboxMail.status.in_(("queued", "kept", "failed", "unknown")),
        (OutboxMail.status == "sending") & (OutboxMail.sending_at < now - LEASE),
    )
    with writing() as session:
        _note_the_dead(session.get_one(OutboxMail, mail_id, populate_existing=True), now)
        session.flush()
        claim = update(OutboxMail).where(
            OutboxMail.id == mail_id, is_free, OutboxMail.unknowns < MAX_UNKNOWNS
        )
        values = claim.values(status="sending", sending_at=now, attempts=OutboxMail.attempts + 1)
        return session.connection().execute(values).rowcount == 1


def _note_the_dead(mail: OutboxMail, now: dt.datetime) -> None:
    """A process that died while sending leaves a mail of which nobody knows whether it went out."""
    if mail.status == "sending" and mail.sending_at is not None and mail.sending_at < now - LEASE:
        mail.status, mail.error = "unknown", "the process that sent it died before it could say so"
        mail.unknowns += 1


def _explain(mail: OutboxMail) -> str:
    """Say why the mail could not be taken."""
    if mail.status == "sending":
        raise Retry("another process is sending this mail", delay=LEASE.total_seconds())
    if mail.status == "unknown":
        raise Abort("twice nobody could say whether it arrived; it is not sent a third time")
    return mail.status


def _settle(mail: OutboxMail, report: smtp.Report) -> str:
    """Write down what became of the mail, then tell the runner."""
    status = {"sent": "sent", "refused": "failed", "try_again": "queued", "unknown": "unknown"}[
        report.outcome
    ]
    with writing() as session:
        mine = session.get_one(OutboxMail, mail.id, populate_existing=True)
        mine.status, mine.error = status, report.error
        mine.sent_at = utcnow() if status == "sent" else None
        mine.unknowns += status == "unknown"
        is_last = mine.unknowns >= MAX_UNKNOWNS
        if status == "sent" and mine.is_secret:
            mine.text, mine.html = _GONE_WORDS, f"<p>{_GONE_WORDS}</p>"
    if status == "failed" or (status == "unknown" and is_last):
        raise Abort(report.error or status)
    if status != "sent":
        raise Retry(report.error or status)
    return status
