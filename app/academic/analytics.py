"""A course in numbers: one snapshot row, computed by the analytics job and read by the pages.

The newest graded attempt of each student counts, in points for an assignment and in per cent
for the course.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from app.academic.models import Assignment, Course, CourseSnapshot, Enrollment, Grade, Submission
from app.academic.statistics import Summary, summarise
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy.orm import Session

    Attempt = tuple[Submission, Grade | None]


class UnknownCourse(LookupError):
    """There is no course with that title."""

    def __init__(self, title: str) -> None:
        """Name the title that was asked for."""
        super().__init__(f"there is no course {title!r}: it was renamed or deleted")


@dataclass(frozen=True, kw_only=True)
class AssignmentNumbers:
    """One assignment's line in the snapshot."""

    assignment_id: int
    title: str
    attempts: int
    # Students who handed in, and those of them whose newest attempt was late.
    authors: int
    late: int
    summary: Summary


@dataclass(frozen=True, kw_only=True)
class CourseNumbers:
    """A course's snapshot; `summary` is in per cent of each assignment's points."""

    students: int
    summary: Summary
    assignments: tuple[AssignmentNumbers, ...]
    computed_at: dt.datetime

    @property
    def count(self) -> int:
        """How many grades the numbers are made of."""
        return self.summary.count

    @property
    def mean(self) -> float | None:
        """The mean in per cent."""
        return self.summary.mean

    @property
    def median(self) -> float | None:
        """The median in per cent."""
        return self.summary.median

    @property
    def mean_rows(self) -> list[tuple[str, float | None]]:
        """Each assignment's title and its mean in per cent, for a chart."""
        return [(line.title, line.summary.mean_percent) for line in self.assignments]


def refresh_snapshot(title: str, *, on_progress: Callable[[float, float, str], None]) -> CourseNumbers:
    """Compute a course's numbers and replace its snapshot; raises `UnknownCourse`."""
    course = db.session.scalar(select(Course).where(Course.title == title))
    if course is None:
        raise UnknownCourse(title)
    course_id = course.id
    made = _compute(db.session(), course, on_progress)
    with writing() as session:
        row = session.get(CourseSnapshot, course_id, with_for_update=True) or CourseSnapshot(
            course_id=course_id
        )
        row.count, row.mean, row.median = made.count, made.mean, made.median
        row.report = _to_json(made)
        row.computed_at = made.computed_at
        session.add(row)
    return made


def snapshots(course_ids: Collection[int]) -> dict[int, CourseNumbers]:
    """What the job last computed, of those courses that have a snapshot."""
    rows = db.session.scalars(select(CourseSnapshot).where(CourseSnapshot.course_id.in_(course_ids)))
    return {row.course_id: _from_json(row) for row in rows}


def _compute(
    session: Session, course: Course, on_progress: Callable[[float, float, str], None]
) -> CourseNumbers:
    lines: list[AssignmentNumbers] = []
    percents: list[float] = []
    for count, assignment in enumerate(course.assignments, start=1):
        attempts = _attempts(session, assignment.id)
        scores = _scores(_newest(attempts))
        lines.append(_line(assignment, attempts, scores))
        percents += [100 * score / assignment.points for score in scores]
        on_progress(count, len(course.assignments), assignment.title)
    students = session.scalar(select(func.count()).where(Enrollment.course_id == course.id)) or 0
    return CourseNumbers(
        students=students,
        summary=summarise(percents, 100),
        assignments=tuple(lines),
        computed_at=dt.datetime.now(dt.UTC),
    )


def _attempts(session: Session, assignment_id: int) -> list[Attempt]:
    query = (
        select(Submission, Grade)
        .outerjoin(Grade)
        .where(Submission.assignment_id == assignment_id)
        .order_by(Submission.number)
    )
    return [(submission, grade) for submission, grade in session.execute(query).all()]


def _newest(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Each student's newest attempt that has a score, or else the newest of all."""
    newest: dict[int, Attempt] = {}
    for attempt in attempts:
        student_id = attempt[0].student_id
        if student_id not in newest or _scores([attempt]) or not _scores([newest[student_id]]):
            newest[student_id] = attempt
    return list(newest.values())


def _line(assignment: Assignment, attempts: Sequence[Attempt], scores: Sequence[float]) -> AssignmentNumbers:
    last = {submission.student_id: submission for submission, _ in attempts}
    return AssignmentNumbers(
        assignment_id=assignment.id,
        title=assignment.title,
        attempts=len(attempts),
        authors=len(last),
        late=sum(submission.is_late for submission in last.values()),
        summary=summarise(scores, assignment.points),
    )


def _scores(attempts: Sequence[Attempt]) -> list[float]:
    return [grade.score for _, grade in attempts if grade is not None and grade.score is not None]


def _to_json(numbers: CourseNumbers) -> str:
    raw = asdict(numbers)
    del raw["computed_at"]
    return json.dumps(raw)


def _from_json(row: CourseSnapshot) -> CourseNumbers:
    raw = json.loads(row.report)
    return CourseNumbers(
        students=raw["students"],
        summary=_summary(raw["summary"]),
        assignments=tuple(
            AssignmentNumbers(**{**line, "summary": _summary(line["summary"])}) for line in raw["assignments"]
        ),
        computed_at=row.computed_at,
    )


def _summary(raw: dict[str, Any]) -> Summary:
    return Summary(**{**raw, "histogram": tuple(raw["histogram"])})
