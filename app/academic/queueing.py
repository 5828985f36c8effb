"""Whose work is graded first: the order in which jobs of a hand-in are enqueued when many come at once.

The newest attempt of a student takes the place of the older one. While few wait, grading goes first. In a
rush of a course what is beyond its share stands behind the other courses' work, receipts come before it,
and comparing waits until the rush is over. Who hands in again and again stands behind who does not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Select, func, select

from app.academic.models import Assignment, Submission, SubmissionJob
from app.db import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# So many of a course may wait in the first line: some seconds of grading.
SHARE: Final = 20
# Attempts of one student at one assignment within a while, after which the next ones stand behind others'.
FREE_ATTEMPTS: Final = 5
FREE_WINDOW: Final = dt.timedelta(minutes=10)
# In a rush comparing begins so much later: of a student's attempts until then only the newest is compared.
RUSH_DELAY_SECONDS: Final = 300.0

_JOBS: Final = Base.metadata.tables["background_jobs"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """Priorities and delay of what follows one hand-in; None leaves what is usual."""

    grading: int | None = None
    receipt: int | None = None
    similarity: int | None = None
    similarity_delay: float | None = None


CALM: Final = Order()
# Receipts are cheap, and wanted at once.
RUSH: Final = Order(grading=2, receipt=1, similarity=3, similarity_delay=RUSH_DELAY_SECONDS)
FLOOD: Final = Order(grading=3, receipt=2, similarity=3, similarity_delay=RUSH_DELAY_SECONDS)


def order_of(session: Session, submission: Submission) -> Order:
    """Say in which order what follows a new submission is to come."""
    if _recent_attempts(session, submission) > FREE_ATTEMPTS:
        return FLOOD
    return RUSH if _is_rush(session, submission.assignment_id) else CALM


def waiting_job(session: Session, submission: Submission, kind: str) -> int | None:
    """Give the job of an older attempt of the same student that the new one's may take the place of."""
    return session.scalar(
        select(_JOBS.c.id)
        .join(SubmissionJob, SubmissionJob.job_id == _JOBS.c.id)
        .join(Submission, Submission.id == SubmissionJob.submission_id)
        .where(
            Submission.assignment_id == submission.assignment_id,
            Submission.student_id == submission.student_id,
            Submission.number < submission.number,
            SubmissionJob.kind == kind,
            _JOBS.c.status == "pending",
            # A regrade that somebody asked for is of that attempt, and no newer one replaces it.
            _JOBS.c.unique_key.is_(None),
        )
        .order_by(Submission.number.desc())
        .limit(1)
    )


def _recent_attempts(session: Session, submission: Submission) -> int:
    query = select(func.count()).where(
        Submission.assignment_id == submission.assignment_id,
        Submission.student_id == submission.student_id,
        Submission.created_at > submission.created_at - FREE_WINDOW,
    )
    return session.scalar(query) or 0


def _is_rush(session: Session, assignment_id: int) -> bool:
    """Whether the course has used up its share of the first line, or has work behind it already.

    Newcomers may not overtake those who stand in the second line, so there they all go until it is empty.
    """
    course = select(Assignment.course_id).where(Assignment.id == assignment_id).scalar_subquery()
    waiting = (
        select(_JOBS.c.priority)
        .select_from(_JOBS)
        .join(SubmissionJob, SubmissionJob.job_id == _JOBS.c.id)
        .join(Submission, Submission.id == SubmissionJob.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            _JOBS.c.status == "pending",
            SubmissionJob.kind == "grading",
            Assignment.course_id == course,
            _JOBS.c.unique_key.is_(None),
        )
    )
    if session.scalar(waiting.where(_JOBS.c.priority == RUSH.grading).limit(1)) is not None:
        return True
    return _number(session, waiting.where(_JOBS.c.priority == 1).limit(SHARE)) >= SHARE


def _number(session: Session, query: Select[int]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
