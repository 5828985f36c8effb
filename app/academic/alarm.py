"""The alarm of grading: an autograder that fails for many is paused, instead of failing for everybody.

A grade is never made of an error of ours; but a broken test file would use up every retry of a class.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from app.academic import pausing
from app.academic.gradebook.models import GradingRun
from app.academic.models import Submission
from app.db import writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# So many of the newest runs are looked at, and at least so many must be there.
WINDOW: Final = 20
LEAST_RUNS: Final = 10
LEAST_ERRORS: Final = 2  # one submission may be the reason itself
MOST_PERCENT: Final = 5


def note_run(session: Session, submission: Submission, *, is_error: bool) -> None:
    """Note how the grading of a submission went; the newest run of each counts."""
    run = GradingRun(submission_id=submission.id, assignment_id=submission.assignment_id)
    run.is_error, run.ended_at = is_error, dt.datetime.now(dt.UTC)
    session.merge(run)


def note_error(submission_id: int, problem: str) -> bool:
    """Note that grading itself failed; True when that made the alarm pause the assignment."""
    with writing() as session:
        submission = session.get_one(Submission, submission_id)
        note_run(session, submission, is_error=True)
        session.flush()
        assignment_id = submission.assignment_id
        newest = _newest(session, assignment_id)
        failed = sum(run.is_error for run in newest)
        if not _is_alarming(failed, len(newest)):
            return False
        reason = f"grading failed for {failed} of the last {len(newest)} submissions; the newest: {problem}"
        return pausing.pause(session, assignment_id, reason=reason, by=pausing.ALARM)


def forget_errors(session: Session, assignment_id: int) -> None:
    """Begin to count anew: somebody has looked and resumed."""
    session.execute(delete(GradingRun).where(GradingRun.assignment_id == assignment_id, GradingRun.is_error))


def _newest(session: Session, assignment_id: int) -> list[GradingRun]:
    query = (
        select(GradingRun)
        .where(GradingRun.assignment_id == assignment_id)
        .order_by(GradingRun.ended_at.desc())
        .limit(WINDOW)
    )
    return list(session.scalars(query))


def _is_alarming(failed: int, runs: int) -> bool:
    return runs >= LEAST_RUNS and failed >= LEAST_ERRORS and failed * 100 > runs * MOST_PERCENT
