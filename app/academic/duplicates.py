"""The same bytes again: they spend no attempt and share the result that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.academic.models import Grade, Submission
from app.academic.policy import after_penalty

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.academic.models import Assignment
    from app.academic.policy import Deadline
    from app.accounts.models import User


def same_bytes(session: Session, student: User, assignment: Assignment, digest: str) -> Submission | None:
    """The first attempt of this student with the same bytes."""
    return session.scalar(
        select(Submission)
        .where(
            Submission.assignment_id == assignment.id,
            Submission.student_id == student.id,
            Submission.sha256 == digest,
            Submission.same_as_id.is_(None),
        )
        .order_by(Submission.number)
        .limit(1)
    )


def share_grade(
    session: Session, same: Submission, submission: Submission, assignment: Assignment, deadline: Deadline
) -> bool:
    """Give an attempt the result of an earlier one with the same bytes, if that still holds."""
    known = session.get(Grade, same.id)
    if known is None or known.version != assignment.version or known.outcome == "waiting":
        return False
    lost = deadline.percent_lost(submission.created_at)
    full = known.full_score
    session.add(
        Grade(
            submission_id=submission.id,
            outcome=known.outcome,
            verdict=known.verdict,
            score=None if full is None else after_penalty(full, lost),
            full_score=full,
            late_percent=lost,
            raw_score=known.raw_score,
            raw_points=known.raw_points,
            points=known.points,
            version=known.version,
            hides=known.hides,
            report=known.report,
            graded_at=submission.created_at,
        )
    )
    return True
