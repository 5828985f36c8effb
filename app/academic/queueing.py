"""Whose work is graded first: the order in which jobs of a hand-in are enqueued when many come at once.

The newest attempt of a student takes the place of the older one. While few wait, grading goes first. In a
rush of a course what is beyond its share stands behind the other courses' work, receipts come before it,
and comparing waits until the rush is over. Who hands in again and again stands behind who does not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

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
    if _is_flood(session, submission):
        return FLOOD
    return RUSH if _is_rush(session, submission) else CALM


def waiting_jobs(session: Session, submission: Submission) -> dict[str, int]:
    """Give the jobs of the student's older attempts, by kind, that the new one's may take the place of."""
    return {row.kind: row.id for row in session.execute(_WAITING, _whose(submission))}


def _is_flood(session: Session, submission: Submission) -> bool:
    """Whether this student has sent more at this assignment than is free within a while."""
    since = {"since": submission.created_at - FREE_WINDOW}
    return len(session.scalars(_RECENT, _whose(submission) | since).all()) > FREE_ATTEMPTS


def _is_rush(session: Session, submission: Submission) -> bool:
    """Whether the course has used up its share of the first line, or has work behind it already.

    Newcomers may not overtake those who stand in the second line, so there they all go until it is empty.
    """
    course = {"course": submission.assignment.course_id}
    if session.scalar(_FIRST_OF_A_LINE, course | {"line": RUSH.grading}) is not None:
        return True
    return len(session.scalars(_LINE, course | {"line": 1}).all()) >= SHARE


def _whose(submission: Submission) -> dict[str, object]:
    return {
        "of_assignment": submission.assignment_id,
        "of_student": submission.student_id,
        "before": submission.number,
    }


# Made once: in a rush, making a statement costs more than running it.
_IS_MINE: Final = (Submission.assignment_id == bindparam("of_assignment")) & (
    Submission.student_id == bindparam("of_student")
)
# A regrade that somebody asked for has a key. It is of that attempt, and no newer one replaces it.
_IS_WAITING: Final = (_JOBS.c.status == "pending") & _JOBS.c.unique_key.is_(None)
_WAITING: Final = (
    select(SubmissionJob.kind, _JOBS.c.id)
    .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
    .join(Submission, Submission.id == SubmissionJob.submission_id)
    .where(_IS_MINE, Submission.number < bindparam("before"), _IS_WAITING)
    .where(SubmissionJob.kind.in_(("grading", "similarity")))
    .order_by(Submission.number)
)
_RECENT: Final = (
    select(Submission.id)
    .where(_IS_MINE, Submission.created_at > bindparam("since", type_=Submission.created_at.type))
    .limit(FREE_ATTEMPTS + 1)
)
_LINE: Final = (
    select(_JOBS.c.id)
    .join(SubmissionJob, SubmissionJob.job_id == _JOBS.c.id)
    .join(Submission, Submission.id == SubmissionJob.submission_id)
    .join(Assignment, Assignment.id == Submission.assignment_id)
    .where(_IS_WAITING, SubmissionJob.kind == "grading")
    .where(Assignment.course_id == bindparam("course"), _JOBS.c.priority == bindparam("line"))
    .limit(SHARE)
)
_FIRST_OF_A_LINE: Final = _LINE.limit(1)
