"""Handing in: files, row, receipt and the four jobs, in one transaction or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import func, select

from app.academic.models import Assignment, Course, Enrollment, Submission, SubmissionFile, SubmissionJob
from app.db import writing
from app.runner import run_background_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.uploads import Upload
    from app.accounts.models import User

ATTEMPTS_PER_HOUR: Final = 20

# A receipt is read aloud and typed: no letter that looks like another. 16 of 32 signs are 80 bits.
_SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Job(Protocol):
    """What is read of an enqueued job."""

    @property
    def id(self) -> int:
        """The job's number."""

    @property
    def status(self) -> str:
        """`pending` unless an unfinished job with the same key was there already."""


class HandInRefused(Exception):
    """The work was not taken and nothing was stored; the message says why."""


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What the student is told: the receipt, and whether this made a new attempt."""

    submission_id: int
    receipt: str
    number: int
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """A job that follows a submission, with the values it is enqueued with."""

    kind: str
    handler: str
    priority: int
    retries: int
    delay_seconds: float = 0


GRADING: Final = FollowUp(
    kind="grading", handler="app.academic.jobs.AutomatedGradingJob", priority=1, retries=3
)
NOTIFICATION: Final = FollowUp(
    kind="notification", handler="app.academic.jobs.NotifyStudentOfSubmissionJob", priority=2, retries=2
)
ANALYTICS: Final = FollowUp(
    kind="analytics",
    handler="app.academic.jobs.GenerateAnalyticsReportJob",
    priority=3,
    retries=2,
    delay_seconds=15,
)
SIMILARITY: Final = FollowUp(
    kind="similarity",
    handler="app.academic.jobs.CheckForPlagiarismJob",
    priority=1,
    retries=2,
    delay_seconds=10,
)


def hand_in(
    student: User, assignment: Assignment, uploads: Sequence[Upload], *, at: dt.datetime | None = None
) -> HandedIn:
    """Keep the work and enqueue its four jobs, all in one transaction; `at` is when it arrived.

    The same bytes again are kept once. Raises `HandInRefused` when the student does not take the
    course or sends too often.
    """
    received_at = at or dt.datetime.now(dt.UTC)
    with writing() as session:
        return take_in(session, student, assignment, uploads, received_at=received_at)


def take_in(
    session: Session,
    student: User,
    assignment: Assignment,
    uploads: Sequence[Upload],
    *,
    received_at: dt.datetime,
) -> HandedIn:
    """Do what `hand_in` does in the caller's transaction."""
    digest = digest_of(uploads)
    _lock_enrollment(session, student, assignment)
    latest = _latest(session, student, assignment)
    if latest is not None and latest.sha256 == digest:
        return _handed_in(latest, is_new=False)
    _refuse_flood(session, student, assignment, received_at)
    submission = Submission(
        assignment_id=assignment.id,
        student_id=student.id,
        number=latest.number + 1 if latest else 1,
        receipt=_new_receipt(),
        sha256=digest,
        is_late=assignment.due_at is not None and received_at > assignment.due_at,
        created_at=received_at,
        files=[SubmissionFile(name=it.name, content=it.content, sha256=it.sha256) for it in uploads],
    )
    session.add(submission)
    session.flush()
    _enqueue_all(session, submission, assignment.course)
    return _handed_in(submission, is_new=True)


def regrade(submission: Submission) -> int:
    """Enqueue grading once more, behind the students who wait; give the job's number."""
    with writing() as session:
        job = _enqueue(session, GRADING, [submission.id], priority=2, unique_key=f"regrade:{submission.id}")
        _link(session, submission.id, GRADING, job)
        return job.id


def request_analytics(session: Session, course: Course) -> Job:
    """Ask for the course's numbers to be computed again; at most one job per course waits for it.

    A job that runs already may have read the old rows, so then one more is enqueued.
    """
    job = _enqueue(session, ANALYTICS, [course.title], unique_key=f"analytics:{course.id}")
    if job.status != "running":
        return job
    return _enqueue(session, ANALYTICS, [course.title], unique_key=f"analytics:{course.id}:next")


def digest_of(uploads: Sequence[Upload]) -> str:
    """Give the hash on the receipt: of one file its own, of several that of their list."""
    if len(uploads) == 1:
        return uploads[0].sha256
    lines = sorted(f"{upload.sha256}  {upload.name}\n" for upload in uploads)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _lock_enrollment(session: Session, student: User, assignment: Assignment) -> None:
    # The row lock makes two requests of one student count their attempts one after the other.
    found = session.scalar(
        select(Enrollment)
        .where(Enrollment.course_id == assignment.course_id, Enrollment.student_id == student.id)
        .with_for_update()
    )
    if found is None:
        raise HandInRefused(f"You do not take {assignment.course.title}, so there is nothing to hand in.")


def _latest(session: Session, student: User, assignment: Assignment) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment.id, Submission.student_id == student.id)
        .order_by(Submission.number.desc())
        .limit(1)
    )


def _refuse_flood(session: Session, student: User, assignment: Assignment, received_at: dt.datetime) -> None:
    hour_ago = received_at - dt.timedelta(hours=1)
    recent, oldest = session.execute(
        select(func.count(), func.min(Submission.created_at)).where(
            Submission.assignment_id == assignment.id,
            Submission.student_id == student.id,
            Submission.created_at > hour_ago,
            Submission.created_at <= received_at,
        )
    ).one()
    if recent >= ATTEMPTS_PER_HOUR:
        free_at = oldest + dt.timedelta(hours=1)
        raise HandInRefused(
            f"{ATTEMPTS_PER_HOUR} attempts in an hour are the limit for an assignment: "
            f"the next one is possible at {free_at:%H:%M} UTC. What you sent before is kept."
        )


def _new_receipt() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(16))
    return "-".join(signs[start : start + 4] for start in range(0, 16, 4))


def _enqueue_all(session: Session, submission: Submission, course: Course) -> None:
    for follow_up in (GRADING, NOTIFICATION, SIMILARITY):
        _link(session, submission.id, follow_up, _enqueue(session, follow_up, [submission.id]))
    _link(session, submission.id, ANALYTICS, request_analytics(session, course))


def _enqueue(
    session: Session,
    follow_up: FollowUp,
    parameters: list[object],
    *,
    priority: int | None = None,
    unique_key: str | None = None,
) -> Job:
    return run_background_job(
        follow_up.handler,
        "handle",
        parameters,
        priority=priority or follow_up.priority,
        delay=follow_up.delay_seconds,
        retries=follow_up.retries,
        unique_key=unique_key,
        session=session,
    )


def _link(session: Session, submission_id: int, follow_up: FollowUp, job: Job) -> None:
    session.merge(SubmissionJob(submission_id=submission_id, kind=follow_up.kind, job_id=job.id))


def _handed_in(submission: Submission, *, is_new: bool) -> HandedIn:
    return HandedIn(
        submission_id=submission.id, receipt=submission.receipt, number=submission.number, is_new=is_new
    )
