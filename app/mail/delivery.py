"""Delivering a mail of the outbox: queued, sending, sent, each step committed.

SMTP has no "only once". A mail that was handed over when the line broke may have arrived: it is
`unknown`, and is sent again one time, with the same Message-ID, so that mailboxes drop the double.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from flask import current_app
from sqlalchemy import or_, update

from app.db import db, writing
from app.mail import addresses, smtp
from app.mail.models import OutboxMail, utcnow
from app.runner import Abort, Retry, current_job, run_background_job

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Longer than a job that delivers may take: whoever has been `sending` for so long is dead.
LEASE: Final = dt.timedelta(seconds=90)

# Once more after the first time, never a third.
MAX_UNKNOWNS: Final = 2

# A server that says "not now" is asked again after a minute, then after twice as long, at most after
# an hour: so many attempts are most of a day, which outlives greylisting and a night's outage.
MAX_ATTEMPTS: Final = 20
_FIRST_SECONDS: Final = 60.0
_CAP_SECONDS: Final = 3600.0

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


def deliver_or_leave(mail_id: int) -> str:
    """Send one mail now; where that has to wait, leave it to a job of its own, which is patient."""
    try:
        return deliver(mail_id)
    except Retry as later:
        with writing() as session:
            send_later(session, mail_id, delay=later.delay or _FIRST_SECONDS)
        return db.session.get_one(OutboxMail, mail_id, populate_existing=True).status


def send_later(session: Session, mail_id: int, *, delay: float = 0, priority: int = 2) -> None:
    """Enqueue the job that delivers a mail, once, in the caller's transaction."""
    run_background_job(
        "app.mail.jobs.DeliverMailJob",
        "handle",
        [mail_id],
        priority=priority,
        delay=delay,
        unique_key=f"mail:{mail_id}",
        session=session,
    )


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
        values = claim.values(
            status="sending", sending_at=now, attempts=OutboxMail.attempts + 1, sender=_sender()
        )
        return session.connection().execute(values).rowcount == 1


def _sender() -> str | None:
    job_id = current_job.id_or_none()
    return None if job_id is None else f"{job_id}:{current_job.attempt}"


def _note_the_dead(mail: OutboxMail, now: dt.datetime) -> None:
    """A process that died while sending leaves a mail of which nobody knows whether it went out."""
    if mail.status != "sending" or mail.sending_at is None:
        return
    if mail.sending_at < now - LEASE or _is_our_past(mail.sender):
        mail.status, mail.error = "unknown", "the process that sent it died before it could say so"
        mail.unknowns += 1


def _is_our_past(sender: str | None) -> bool:
    """Whether it was an earlier attempt of this very job: the runner begins one when the last is dead."""
    me = _sender()
    if sender is None or me is None:
        return False
    (job, attempt), (my_job, my_attempt) = sender.split(":"), me.split(":")
    return job == my_job and int(attempt) < int(my_attempt)


def _explain(mail: OutboxMail) -> str:
    """Say why the mail could not be taken."""
    if mail.status == "sending":
        raise Retry("another process is sending this mail", delay=LEASE.total_seconds())
    if mail.status == "unknown":
        raise Abort("twice nobody could say whether it arrived; it is not sent a third time")
    return mail.status


def _settle(mail: OutboxMail, report: smtp.Report) -> str:
    """Write down what became of the mail, then tell the runner."""
    with writing() as session:
        mine = session.get_one(OutboxMail, mail.id, populate_existing=True)
        mine.unknowns += report.outcome == "unknown"
        status = mine.status = _status(mine, report)
        mine.error = report.error
        mine.sent_at = utcnow() if status == "sent" else None
        is_over = status == "failed" or (status == "unknown" and mine.unknowns >= MAX_UNKNOWNS)
        attempts = mine.attempts
        if status == "sent":
            addresses.clear(session, mine.to)
            if mine.is_secret:
                mine.text, mine.html = _GONE_WORDS, f"<p>{_GONE_WORDS}</p>"
        elif report.is_address_bad:
            addresses.flag(session, mine.to, report.error or status)
    if is_over:
        raise Abort(report.error or status)
    if status != "sent":
        raise Retry(report.error or status, delay=retry_seconds(attempts))
    return status


def _status(mail: OutboxMail, report: smtp.Report) -> str:
    if report.outcome == "try_again":
        return "queued" if mail.attempts < MAX_ATTEMPTS else "failed"
    return {"sent": "sent", "refused": "failed", "unknown": "unknown"}[report.outcome]


def retry_seconds(attempts: int) -> float:
    """Give how long to wait after so many attempts."""
    return min(_CAP_SECONDS, _FIRST_SECONDS * 2.0 ** (attempts - 1))
