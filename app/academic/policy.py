"""What an assignment's rules come to for one student: deadlines, what late work loses, attempts left."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.models import Extension, Grade, Submission, SubmissionJob
from app.db import Base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.models import Assignment

# The runner's rows are only read, through the metadata that both share.
_JOBS: Final = Base.metadata.tables["background_jobs"]
_UNITS: Final = {"hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When one student's work is due, and what it loses after that."""

    due_at: dt.datetime | None = None
    # Nothing is taken any more from then on.
    late_due_at: dt.datetime | None = None
    grace: dt.timedelta = dt.timedelta(0)
    per: str = "day"
    percent: float = 0.0
    extension: Extension | None = None

    def is_late(self, at: dt.datetime) -> bool:
        """Whether work that comes then is late; the grace is given without a word."""
        return self.due_at is not None and at > self.due_at + self.grace

    def is_closed(self, at: dt.datetime) -> bool:
        """Whether nothing is taken any more."""
        return self.late_due_at is not None and at > self.late_due_at + self.grace

    def percent_lost(self, at: dt.datetime) -> float:
        """What work that comes then loses of its score, in per cent: for each unit begun since it was due."""
        if self.due_at is None or not self.is_late(at):
            return 0.0
        unit = _UNITS.get(self.per)
        begun = math.ceil((at - self.due_at).total_seconds() / unit) if unit else 1
        return min(100.0, self.percent * begun)


def after_penalty(score: float, percent_lost: float) -> float:
    """What is left of a score."""
    return round(score * (100 - percent_lost) / 100, 2)


def extension_of(session: Session, assignment_id: int, student_id: int) -> Extension | None:
    """What staff granted this student."""
    return session.get(Extension, (assignment_id, student_id))


def deadline_of(assignment: Assignment, extension: Extension | None = None) -> Deadline:
    """The assignment's deadline, or the student's own."""
    due_at = (extension and extension.due_at) or assignment.due_at
    late_due_at = (extension and extension.late_due_at) or assignment.late_due_at
    if late_due_at is not None and due_at is not None:
        late_due_at = max(late_due_at, due_at)
    return Deadline(
        due_at=due_at,
        late_due_at=late_due_at,
        grace=dt.timedelta(seconds=assignment.grace_seconds),
        per=assignment.late_per,
        percent=assignment.late_percent,
        extension=extension,
    )


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How many attempts a student has used, and when the next one is possible."""

    used: int = 0
    most: int | None = None
    used_in_window: int = 0
    window_most: int | None = None
    window_hours: float = 0.0
    # When the window has room again; None: it has room, or the attempts are used up for good.
    next_at: dt.datetime | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether no attempt is left, ever."""
        return self.most is not None and self.used >= self.most

    @property
    def left(self) -> int | None:
        """How many attempts are possible now; None: as many as one likes."""
        limits = [
            most - used
            for most, used in ((self.most, self.used), (self.window_most, self.used_in_window))
            if most is not None
        ]
        return max(0, min(limits)) if limits else None


def budget_of(
    session: Session, assignment: Assignment, student_id: int, *, at: dt.datetime, extra: int = 0
) -> Budget:
    """Count the attempts that were spent.

    The same bytes again, work that cannot be graded and errors of the autograder spend none.
    """
    if assignment.attempts_max is None and assignment.window_max is None:
        return Budget()
    spent = _spent(session, assignment.id, student_id)
    most = None if assignment.attempts_max is None else assignment.attempts_max + extra
    window = dt.timedelta(seconds=assignment.window_seconds or 0)
    recent = sorted(each for each in spent if at - window < each <= at)
    next_at = None
    if assignment.window_max is not None and len(recent) >= assignment.window_max:
        next_at = recent[len(recent) - assignment.window_max] + window
    return Budget(
        used=len(spent),
        most=most,
        used_in_window=len(recent),
        window_most=assignment.window_max,
        window_hours=window.total_seconds() / 3600,
        next_at=next_at,
    )


def _spent(session: Session, assignment_id: int, student_id: int) -> list[dt.datetime]:
    rows = session.execute(
        select(Submission.id, Submission.created_at, Grade.outcome)
        .outerjoin(Grade, Grade.submission_id == Submission.id)
        .where(
            Submission.assignment_id == assignment_id,
            Submission.student_id == student_id,
            Submission.same_as_id.is_(None),
        )
    ).all()
    failed = _failed(session, [row.id for row in rows if row.outcome is None])
    return [row.created_at for row in rows if row.outcome != "not_gradable" and row.id not in failed]


def _failed(session: Session, submission_ids: Sequence[int]) -> set[int]:
    """Those whose newest grading job ended without a grade: that is not the student's fault."""
    if not submission_ids:
        return set()
    query = (
        select(SubmissionJob.submission_id, _JOBS.c.status)
        .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
        .where(SubmissionJob.kind == "grading", SubmissionJob.submission_id.in_(submission_ids))
        .order_by(_JOBS.c.id)
    )
    newest: dict[int, str] = {row[0]: row[1] for row in session.execute(query)}
    return {submission_id for submission_id, status in newest.items() if status == "failed"}


def counting(attempts: Sequence[Submission], counts: str) -> Submission | None:
    """The attempt that is a student's grade: the last, the best, or the one that was chosen.

    Work that cannot be graded never counts. Without a grade, or a choice, it is the last.
    """
    usable = [it for it in attempts if it.grade is None or it.grade.outcome != "not_gradable"]
    last = max(usable, key=lambda it: it.number, default=None)
    if counts == "chosen":
        return next((it for it in usable if it.is_chosen), last)
    if counts == "best":
        return (
            max(usable, key=_goodness, default=None) if any(_score(it) is not None for it in usable) else last
        )
    return last


def _goodness(submission: Submission) -> tuple[float, int]:
    # Of equal ones the earlier: whoever tries once more loses nothing by it.
    score = _score(submission)
    return (-1.0 if score is None else score, -submission.number)


def _score(submission: Submission) -> float | None:
    return None if submission.grade is None else submission.grade.score
