"""Everything that a course's numbers are made of, read at once and without the reports."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.gradebook.overrides import overrides_of
from app.academic.gradebook.standing import Attempt, Standing, counting, standing
from app.academic.models import Assignment, Enrollment, Extension, Grade, Submission, SubmissionJob
from app.accounts.models import User
from app.db import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from app.academic.gradebook.models import GradeOverride
    from app.academic.models import Course

# The runner's rows are only read, through the metadata that both share.
_JOBS: Final = Base.metadata.tables["background_jobs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """Who the line is about."""

    id: int
    first_name: str
    last_name: str
    email: str

    @property
    def listed_name(self) -> str:
        """The name as lists have it."""
        return f"{self.last_name}, {self.first_name}"

    @property
    def sort_key(self) -> tuple[str, str, int]:
        """By name, and always the same way."""
        return self.last_name.casefold(), self.first_name.casefold(), self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the database has of a course, by assignment and student."""

    students: tuple[Student, ...]
    assignments: tuple[Assignment, ...]
    attempts: Mapping[tuple[int, int], list[Attempt]]
    overrides: Mapping[tuple[int, int], GradeOverride]
    deadlines: Mapping[tuple[int, int], dt.datetime]

    def standing(self, student_id: int, assignment: Assignment) -> Standing:
        """How a student stands with an assignment."""
        key = (assignment.id, student_id)
        made = self.attempts.get(key, [])
        due_at = self.deadlines.get(key) or assignment.due_at
        is_over = due_at is not None and due_at <= dt.datetime.now(dt.UTC)
        return standing(made, counting(made, assignment.counts), self.overrides.get(key), is_over=is_over)


def read_records(session: Session, course: Course) -> Records:
    """Read a course in a handful of queries, whatever its size."""
    assignments = tuple(course.assignments)
    ids = [assignment.id for assignment in assignments]
    extensions = select(Extension).where(Extension.assignment_id.in_(ids), Extension.due_at.is_not(None))
    return Records(
        students=tuple(_students(session, course.id)),
        assignments=assignments,
        attempts=_attempts(session, course.id, _failed(session, course.id)),
        overrides=overrides_of(session, ids),
        deadlines={
            (it.assignment_id, it.student_id): it.due_at for it in session.scalars(extensions) if it.due_at
        },
    )


def _students(session: Session, course_id: int) -> list[Student]:
    query = (
        select(User.id, User.first_name, User.last_name, User.email)
        .join(Enrollment, Enrollment.student_id == User.id)
        .where(Enrollment.course_id == course_id)
    )
    found = [
        Student(id=row.id, first_name=row.first_name, last_name=row.last_name, email=row.email)
        for row in session.execute(query)
    ]
    return sorted(found, key=lambda student: student.sort_key)


def _failed(session: Session, course_id: int) -> set[int]:
    """Submissions whose newest grading job failed for good, so that there is no grade."""
    query = (
        select(SubmissionJob.submission_id, _JOBS.c.status)
        .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
        .join(Submission, Submission.id == SubmissionJob.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .outerjoin(Grade, Grade.submission_id == Submission.id)
        .where(
            Assignment.course_id == course_id,
            SubmissionJob.kind == "grading",
            Grade.submission_id.is_(None),
        )
        .order_by(_JOBS.c.id)
    )
    newest: dict[int, str] = dict(session.execute(query).all())
    return {submission_id for submission_id, status in newest.items() if status == "failed"}


def _attempts(
    session: Session, course_id: int, failed: Collection[int]
) -> Mapping[tuple[int, int], list[Attempt]]:
    query = (
        select(
            Submission.id,
            Submission.assignment_id,
            Submission.student_id,
            Submission.number,
            Submission.receipt,
            Submission.is_late,
            Submission.is_chosen,
            Submission.created_at,
            Grade.outcome,
            Grade.score,
            Grade.graded_at,
        )
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .outerjoin(Grade, Grade.submission_id == Submission.id)
        .where(Assignment.course_id == course_id)
        .order_by(Submission.number)
    )
    found: dict[tuple[int, int], list[Attempt]] = defaultdict(list)
    for row in session.execute(query).mappings():
        attempt = Attempt(**{**row, "outcome": "failed"} if row["id"] in failed else row)
        found[attempt.assignment_id, attempt.student_id].append(attempt)
    return found
