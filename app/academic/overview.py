"""Lists for staff: what was handed in for an assignment, and how the courses stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.academic import progress
from app.academic.gradebook.overrides import overrides_of
from app.academic.models import Assignment, Enrollment, Submission
from app.academic.similarity.models import SimilarityPair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from app.academic.gradebook.models import GradeOverride


@dataclass(frozen=True, kw_only=True)
class Row:
    """One submission as a line of the list."""

    submission: Submission
    # The grading job's state; empty when its row is gone.
    state: str
    # The highest similarity with another student's work; None while nothing was found.
    similarity: int | None
    # What a person has set for the student, if anything.
    override: GradeOverride | None = None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much there is in a course or for an assignment."""

    students: int = 0
    submissions: int = 0
    # Students who handed in.
    authors: int = 0


def submission_rows(session: Session, assignment: Assignment, *, is_all: bool) -> list[Row]:
    """What was handed in, by student: the newest attempt of each, or all attempts."""
    found = session.scalars(
        select(Submission)
        .where(Submission.assignment_id == assignment.id)
        .options(joinedload(Submission.grade), joinedload(Submission.student))
    ).all()
    chosen = sorted(found if is_all else _newest(found), key=_by_student)
    states = progress.grading_states(session, [submission.id for submission in chosen])
    alike = _highest_similarity(session, assignment.id)
    changed = overrides_of(session, [assignment.id])
    return [
        Row(
            submission=it,
            state=states.get(it.id, ""),
            similarity=alike.get(it.id),
            override=changed.get((it.assignment_id, it.student_id)),
        )
        for it in chosen
    ]


def counts_by_course(session: Session) -> dict[int, Counts]:
    """Students and submissions of every course."""
    enrolled = _pairs(session, select(Enrollment.course_id, func.count()).group_by(Enrollment.course_id))
    sent = _pairs(
        session,
        select(Assignment.course_id, func.count(Submission.id))
        .join(Submission, Submission.assignment_id == Assignment.id)
        .group_by(Assignment.course_id),
    )
    return {
        course_id: Counts(students=enrolled.get(course_id, 0), submissions=sent.get(course_id, 0))
        for course_id in enrolled | sent
    }


def counts_by_assignment(session: Session, course_id: int) -> dict[int, Counts]:
    """Submissions and their authors of every assignment of a course."""
    query = (
        select(Submission.assignment_id, func.count(), func.count(Submission.student_id.distinct()))
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.course_id == course_id)
        .group_by(Submission.assignment_id)
    )
    return {
        assignment_id: Counts(submissions=count, authors=authors)
        for assignment_id, count, authors in session.execute(query)
    }


def _newest(found: Sequence[Submission]) -> list[Submission]:
    newest: dict[int, Submission] = {}
    for submission in found:
        known = newest.get(submission.student_id)
        if known is None or known.number < submission.number:
            newest[submission.student_id] = submission
    return list(newest.values())


def _by_student(submission: Submission) -> tuple[str, str, int, int]:
    student = submission.student
    return student.last_name.lower(), student.first_name.lower(), student.id, -submission.number


def _highest_similarity(session: Session, assignment_id: int) -> dict[int, int]:
    highest: dict[int, int] = {}
    for side in (SimilarityPair.submission_a_id, SimilarityPair.submission_b_id):
        query = (
            select(side, func.max(SimilarityPair.score))
            .where(SimilarityPair.assignment_id == assignment_id)
            .group_by(side)
        )
        for submission_id, score in session.execute(query):
            highest[submission_id] = max(score, highest.get(submission_id, 0))
    return highest


def _pairs(session: Session, query: Select[int, int]) -> dict[int, int]:
    return dict(session.execute(query).all())
