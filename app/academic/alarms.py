"""Alarms to staff: grading that failed after every retry, and work that waits for too long.

The runner's rows are only read. One mail an assignment and a look, however many jobs failed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from app.academic.mail_models import ToldFailure
from app.academic.mail_words import list_id
from app.academic.models import Assignment, Submission, SubmissionJob
from app.accounts.models import User
from app.db import Base, writing
from app.mail.delivery import send_later
from app.mail.digests import add_item
from app.mail.outbox import queue_mail
from app.mail.preferences import preference_of, unsubscribe_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

# A student who has waited for so long thinks that the site is broken; the length of a line says less.
QUEUE_AGE: Final = dt.timedelta(minutes=10)
# A look further back would tell of what is long forgotten when alarms come to an old site.
_RECENT: Final = dt.timedelta(days=2)
_MOST_FAILURES: Final = 500

_JOBS: Final = Base.metadata.tables["background_jobs"]


class Failure(NamedTuple):
    """A grading job that will not be tried again by itself."""

    job_id: int
    attempt: int
    receipt: str
    error: str


class _Alarm(NamedTuple):
    """A mail to one person of the staff."""

    key: str
    user_id: int
    to: str
    subject: str
    path: str
    fact: str
    failures: Sequence[Failure] = ()


def tell_failures() -> int:
    """Tell the instructors of grading jobs that failed for good and were not told; give how many jobs."""
    with writing() as session:
        found = _untold(session)
        now = dt.datetime.now(dt.UTC)
        for assignment_id, failures in found.items():
            _alarm(session, session.get_one(Assignment, assignment_id), failures)
            session.add_all(ToldFailure(job_id=it.job_id, attempt=it.attempt, told_at=now) for it in failures)
        return sum(map(len, found.values()))


def tell_queue_age() -> int:
    """Tell the admins, at most once an hour, that work waits to be graded for too long; 1 if so it is."""
    now = dt.datetime.now(dt.UTC)
    with writing() as session:
        oldest = session.scalar(_oldest_due(now))
        if oldest is None or now - oldest < QUEUE_AGE:
            return 0
        minutes = round((now - oldest).total_seconds() / 60)
        admins = session.scalars(select(User).where(User.role == "admin", User.is_enabled)).all()
        for admin in admins:
            alarm = _Alarm(
                key=f"queue:{admin.id}:{now:%Y%m%d%H}",
                user_id=admin.id,
                to=admin.email,
                subject=f"Grading is behind: the oldest work has waited for {minutes} minutes",
                path="/background-jobs?status=pending",
                fact=f"The oldest work that waits to be graded has waited for {minutes} minutes.",
            )
            _send(session, alarm)
        return 1


def _untold(session: Session) -> dict[int, list[Failure]]:
    query = (
        select(Submission.assignment_id, Submission.receipt, _JOBS.c.id, _JOBS.c.attempt, _JOBS.c.error)
        .join(SubmissionJob, SubmissionJob.submission_id == Submission.id)
        .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
        .outerjoin(ToldFailure, (ToldFailure.job_id == _JOBS.c.id) & (ToldFailure.attempt == _JOBS.c.attempt))
        .where(
            SubmissionJob.kind == "grading",
            _JOBS.c.status == "failed",
            _JOBS.c.finished_at > dt.datetime.now(dt.UTC) - _RECENT,
            ToldFailure.job_id.is_(None),
        )
        .order_by(_JOBS.c.id)
        .limit(_MOST_FAILURES)
    )
    found: defaultdict[int, list[Failure]] = defaultdict(list)
    seen: set[int] = set()
    for row in session.execute(query):
        if row.id not in seen:
            seen.add(row.id)
            failure = Failure(row.id, row.attempt, row.receipt, (row.error or "no reason was given")[:300])
            found[row.assignment_id].append(failure)
    return dict(found)


def _oldest_due(now: dt.datetime) -> Select[dt.datetime]:
    return (
        select(_JOBS.c.run_at)
        .join(SubmissionJob, SubmissionJob.job_id == _JOBS.c.id)
        .where(
            SubmissionJob.kind == "grading",
            _JOBS.c.status == "pending",
            ~_JOBS.c.is_held,
            _JOBS.c.attempts_used == 0,
            _JOBS.c.run_at <= now,
        )
        .order_by(_JOBS.c.run_at)
        .limit(1)
    )


def _alarm(session: Session, assignment: Assignment, failures: Sequence[Failure]) -> None:
    course, instructor = assignment.course, assignment.course.instructor
    count = "1 submission" if len(failures) == 1 else f"{len(failures)} submissions"
    alarm = _Alarm(
        key=f"alarm:{assignment.id}:{failures[-1].job_id}:{failures[-1].attempt}",
        user_id=instructor.id,
        to=instructor.email,
        subject=f"{course.code} {assignment.title}: grading of {count} failed",
        path=f"/assignments/{assignment.id}",
        fact=f"Grading of {count} failed, after every retry. No student got a zero for it.",
        failures=failures,
    )
    _send(session, alarm, list_id=list_id(course))


def _send(session: Session, alarm: _Alarm, *, list_id: str | None = None) -> None:
    preference = preference_of(session, alarm.user_id)
    if preference.alarms == "none":
        return
    if preference.alarms == "digest":
        add_item(
            session,
            key=alarm.key,
            user_id=alarm.user_id,
            scope="alarms",
            title=alarm.subject,
            fact=alarm.fact,
            path=alarm.path,
        )
        return
    mail = queue_mail(
        session,
        key=alarm.key,
        kind="staff-alarm",
        to=alarm.to,
        subject=alarm.subject,
        template="staff_alarm",
        context={"alarm": alarm, "path": alarm.path},
        user_id=alarm.user_id,
        list_id=list_id,
        unsubscribe_url=unsubscribe_url(preference, "alarms"),
    )
    session.flush()
    send_later(session, mail.id, priority=1)
