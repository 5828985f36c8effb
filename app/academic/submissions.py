"""Handing in: files, row, receipt and the four jobs, in one transaction or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import select, update

from app.academic.duplicates import same_bytes, share_grade
from app.academic.models import (
    Assignment,
    Course,
    Grade,
    Submission,
    SubmissionFile,
    SubmissionJob,
)
from app.academic.policy import deadline_of, extension_of
from app.academic.queueing import CALM, order_of, waiting_jobs
from app.academic.receipts import new_receipt
from app.academic.refusals import HandInRefused, lock_enrollment, refuse
from app.db import Base, writing
from app.runner import run_background_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.queueing import Order
    from app.academic.uploads import Upload
    from app.accounts.models import User

_JOBS: Final = Base.metadata.tables["background_jobs"]


class Job(Protocol):
    """What is read of an enqueued job."""

    @property
    def id(self) -> int:
        """The job's number."""

    @property
    def status(self) -> str:
        """`pending` unless an unfinished job with the same key was there already."""


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What the student is told: the receipt, and whether this made a new attempt."""

    submission_id: int
    receipt: str
    number: int
    is_new: bool
    # The number of an earlier attempt with the same bytes: this one spends no attempt.
    same_as: int | None = None


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
AFTER_DUE_SECONDS: Final = 300.0  # what arrives with the deadline is checked by then
COMPARISON: Final = FollowUp(
    kind="comparison", handler="app.academic.jobs.CompareClassJob", priority=3, retries=2
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

    The bytes of the latest attempt again are kept once; those of an earlier one spend no attempt. Older
    attempts that wait for grading are superseded. Raises `HandInRefused` when the student does not take
    the course, sends too often or too late.
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
    supersedes: bool = True,
) -> HandedIn:
    """Do what `hand_in` does in the caller's transaction; demo data has every attempt graded."""
    digest = digest_of(uploads)
    lock_enrollment(session, student, assignment)
    latest = _latest(session, student, assignment)
    if latest is not None and latest.sha256 == digest:
        return _handed_in(latest, is_new=False)
    deadline = deadline_of(assignment, extension_of(session, assignment.id, student.id))
    same = same_bytes(session, student, assignment, digest)
    refuse(session, student.id, assignment, deadline, at=received_at, is_free=same is not None)
    submission = Submission(
        assignment_id=assignment.id,
        student_id=student.id,
        number=latest.number + 1 if latest else 1,
        receipt=new_receipt(),
        sha256=digest,
        is_late=deadline.is_late(received_at),
        same_as_id=None if same is None else same.id,
        created_at=received_at,
        files=[
            SubmissionFile(name=it.name, submit_as=it.submit_as, content=it.content, sha256=it.sha256)
            for it in uploads
        ],
    )
    session.add(submission)
    session.flush()
    is_graded = same is not None and share_grade(session, same, submission, assignment, deadline)
    order: Order = CALM
    replaced: dict[str, int] = {}
    if supersedes:
        order = order_of(session, submission)
        replaced = waiting_jobs(session, submission)
        _supersede_older(session, submission, assignment)
    _enqueue_all(session, submission, order, replaced, is_graded=is_graded)
    return _handed_in(submission, is_new=True, same_as=None if same is None else same.number)


def grade_again(session: Session, submission_id: int, *, priority: int) -> Job:
    """Enqueue one more grading of a submission, also of one that a newer attempt superseded."""
    parameters: list[object] = [submission_id, True]
    job = _enqueue(session, GRADING, parameters, priority=priority, unique_key=f"regrade:{submission_id}")
    _link(session, submission_id, GRADING, job)
    return job


def grade_superseded(session: Session, submission: Submission) -> None:
    """Have the newest attempt graded that this one superseded: this one turned out to count for nothing."""
    older = session.scalar(
        select(Submission)
        .outerjoin(Grade, Grade.submission_id == Submission.id)
        .where(
            Submission.assignment_id == submission.assignment_id,
            Submission.student_id == submission.student_id,
            Submission.number < submission.number,
            Submission.superseded_at.is_not(None),
            Grade.submission_id.is_(None),
        )
        .order_by(Submission.number.desc())
        .limit(1)
    )
    if older is not None:
        grade_again(session, older.id, priority=GRADING.priority)


def enqueue_grading(session: Session, submission: Submission) -> int:
    """Enqueue grading in the caller's transaction, as handing in does; give the job's number."""
    job = _enqueue(session, GRADING, [submission.id])
    _link(session, submission.id, GRADING, job)
    return job.id


def choose_attempt(submission: Submission) -> None:
    """Make an attempt the one that counts; raises `HandInRefused` where that is not the student's choice."""
    submission_id = submission.id
    with writing() as session:
        chosen = session.get_one(Submission, submission_id, with_for_update=True)
        assignment = chosen.assignment
        deadline = deadline_of(assignment, extension_of(session, assignment.id, chosen.student_id))
        if assignment.counts != "chosen":
            raise HandInRefused(f"The {assignment.counts} attempt counts for this assignment.")
        if deadline.is_closed(dt.datetime.now(dt.UTC)):
            raise HandInRefused("This assignment is closed, so the choice stays as it is.")
        mine = (Submission.assignment_id == assignment.id, Submission.student_id == chosen.student_id)
        session.execute(update(Submission).where(*mine).values(is_chosen=Submission.id == submission_id))
        request_analytics(session, assignment.course)


def request_analytics(session: Session, course: Course) -> Job:
    """Ask for the course's numbers to be computed again; at most one job per course waits for it.

    A job that runs already may have read the old rows, so then one more is enqueued.
    """
    job = _enqueue(session, ANALYTICS, [course.title], unique_key=f"analytics:{course.id}")
    if job.status != "running":
        return job
    return _enqueue(session, ANALYTICS, [course.title], unique_key=f"analytics:{course.id}:next")


def request_comparison(session: Session, assignment_id: int, *, due_at: dt.datetime | None = None) -> Job:
    """Ask for a whole class to be compared anew, now or some minutes after a time.

    At most one of each waits for an assignment.
    """
    if due_at is None:
        return _enqueue(session, COMPARISON, [assignment_id], unique_key=f"comparison:{assignment_id}")
    wait = max(0.0, (due_at - dt.datetime.now(dt.UTC)).total_seconds()) + AFTER_DUE_SECONDS
    later = replace(COMPARISON, delay_seconds=wait)
    return _enqueue(session, later, [assignment_id], unique_key=f"comparison:{assignment_id}:due")


def digest_of(uploads: Sequence[Upload]) -> str:
    """Give the hash on the receipt: of one file its own, of several that of their list."""
    if len(uploads) == 1:
        return uploads[0].sha256
    lines = sorted(f"{upload.sha256}  {upload.name}\n" for upload in uploads)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _latest(session: Session, student: User, assignment: Assignment) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment.id, Submission.student_id == student.id)
        .order_by(Submission.number.desc())
        .limit(1)
    )


def _supersede_older(session: Session, submission: Submission, assignment: Assignment) -> None:
    """Let older attempts that still wait for grading step back: the new one's job takes their place."""
    waiting = (
        session.scalars(
            select(Submission)
            .join(SubmissionJob, SubmissionJob.submission_id == Submission.id)
            .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
            .outerjoin(Grade, Grade.submission_id == Submission.id)
            .where(
                Submission.assignment_id == assignment.id,
                Submission.student_id == submission.student_id,
                Submission.number < submission.number,
                Submission.superseded_at.is_(None),
                SubmissionJob.kind == GRADING.kind,
                _JOBS.c.status == "pending",
                Grade.submission_id.is_(None),
            )
        )
        .unique()
        .all()
    )
    for older in waiting:
        older.superseded_at = submission.created_at
        if assignment.counts != "last":
            # It may be the one that counts, so it is graded after all, behind everybody's newest.
            grade_again(session, older.id, priority=3)


def _enqueue_all(
    session: Session,
    submission: Submission,
    order: Order,
    replaced: Mapping[str, int],
    *,
    is_graded: bool,
) -> None:
    now: dict[FollowUp, tuple[int | None, float | None]] = {
        GRADING: (order.grading, None),
        NOTIFICATION: (order.receipt, None),
        SIMILARITY: (order.similarity, order.similarity_delay),
    }
    links = []
    for follow_up, (priority, delay) in now.items():
        if follow_up is GRADING and is_graded:
            continue
        job = _enqueue(
            session,
            follow_up,
            [submission.id],
            priority=priority,
            delay=delay,
            replaces=replaced.get(follow_up.kind),
        )
        links.append(SubmissionJob(submission_id=submission.id, kind=follow_up.kind, job_id=job.id))
    numbers = request_analytics(session, submission.assignment.course)
    links.append(SubmissionJob(submission_id=submission.id, kind=ANALYTICS.kind, job_id=numbers.id))
    session.add_all(links)


def _enqueue(
    session: Session,
    follow_up: FollowUp,
    parameters: list[object],
    *,
    priority: int | None = None,
    delay: float | None = None,
    unique_key: str | None = None,
    replaces: int | None = None,
) -> Job:
    return run_background_job(
        follow_up.handler,
        "handle",
        parameters,
        priority=priority or follow_up.priority,
        delay=follow_up.delay_seconds if delay is None else delay,
        retries=follow_up.retries,
        unique_key=unique_key,
        replaces=replaces,
        session=session,
    )


def _link(session: Session, submission_id: int, follow_up: FollowUp, job: Job) -> None:
    session.merge(SubmissionJob(submission_id=submission_id, kind=follow_up.kind, job_id=job.id))


def _handed_in(submission: Submission, *, is_new: bool, same_as: int | None = None) -> HandedIn:
    return HandedIn(
        submission_id=submission.id,
        receipt=submission.receipt,
        number=submission.number,
        is_new=is_new,
        same_as=same_as,
    )
