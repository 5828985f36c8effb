"""A score that a person has set: it counts instead of the tests' until it is taken away."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.gradebook.models import REASON_LENGTH, GradeOverride
from app.academic.models import Enrollment, Submission
from app.academic.submissions import request_analytics
from app.accounts import audit

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from app.academic.models import Assignment

# Above full marks is a bonus; more than this is a slip of the finger.
MOST_TIMES: Final = 2


class OverrideRefused(ValueError):
    """The score or the reason cannot be taken; the message names the field and what was expected."""


def set_override(
    session: Session, assignment: Assignment, student_id: int, *, score: float, reason: str, by_id: int
) -> GradeOverride:
    """Let a student's score for an assignment be this one; raises `OverrideRefused`."""
    checked_reason = checked_text(reason)
    _check_score(score, assignment.points)
    if session.get(Enrollment, (assignment.course_id, student_id)) is None:
        raise OverrideRefused("Student: does not take this course.")
    key = (assignment.id, student_id)
    known = session.get(GradeOverride, key, with_for_update=True)
    before = _words(known)
    row = known or GradeOverride(assignment_id=assignment.id, student_id=student_id)
    row.score, row.reason, row.changed_by_id = score, checked_reason, by_id
    row.changed_at = dt.datetime.now(dt.UTC)
    session.add(row)
    audit.record(session, "grade_overridden", _subject(*key), before=before, after=_words(row))
    _follow_up(session, assignment, student_id)
    return row


def remove_override(session: Session, assignment: Assignment, student_id: int) -> bool:
    """Let the tests' score count again; False when nobody had changed it."""
    key = (assignment.id, student_id)
    known = session.get(GradeOverride, key, with_for_update=True)
    if known is None:
        return False
    audit.record(session, "grade_override_removed", _subject(*key), before=_words(known))
    session.delete(known)
    _follow_up(session, assignment, student_id)
    return True


def override_of(session: Session, assignment_id: int, student_id: int) -> GradeOverride | None:
    """What a person has set for a student and an assignment."""
    return session.get(GradeOverride, (assignment_id, student_id))


def overrides_of(session: Session, assignment_ids: Collection[int]) -> dict[tuple[int, int], GradeOverride]:
    """What people have set, by assignment and student."""
    query = select(GradeOverride).where(GradeOverride.assignment_id.in_(assignment_ids))
    return {(row.assignment_id, row.student_id): row for row in session.scalars(query)}


def overrides_for_student(session: Session, student_id: int) -> dict[int, GradeOverride]:
    """What people have set for a student, by assignment."""
    query = select(GradeOverride).where(GradeOverride.student_id == student_id)
    return {row.assignment_id: row for row in session.scalars(query)}


def read_score(text: str, points: float) -> float:
    """The score that somebody typed; raises `OverrideRefused` with what was expected."""
    try:
        score = float(text.strip().replace(",", "."))
    except ValueError:
        raise OverrideRefused(f"Score: {text.strip()[:40]!r} is not a number.") from None
    _check_score(score, points)
    return score


def checked_text(reason: str) -> str:
    """The reason without white space around it; raises `OverrideRefused` when it is none."""
    text = reason.strip()
    if not text or len(text) > REASON_LENGTH:
        raise OverrideRefused(
            f"Reason: expected 1 to {REASON_LENGTH} characters, there are {len(text)}. The student reads it."
        )
    return text


def _check_score(score: float, points: float) -> None:
    most = MOST_TIMES * points
    if not math.isfinite(score) or not 0 <= score <= most:
        raise OverrideRefused(f"Score: {score:g} is not between 0 and {most:g}, twice the points.")


def _follow_up(session: Session, assignment: Assignment, student_id: int) -> None:
    """Have the numbers computed again and the student told, who has handed in something to speak of."""
    from app.academic.notification import request_grade_mail

    request_analytics(session, assignment.course)
    newest = session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment.id, Submission.student_id == student_id)
        .order_by(Submission.number.desc())
        .limit(1)
    )
    if newest is not None:
        request_grade_mail(session, newest)


def _subject(assignment_id: int, student_id: int) -> str:
    return f"assignment:{assignment_id} user:{student_id}"


def _words(row: GradeOverride | None) -> str | None:
    return None if row is None else f"{row.score:g}: {row.reason}"
