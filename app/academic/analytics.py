"""A course in numbers: snapshot rows, computed by the analytics job and read by the pages.

Of each student the attempt counts that the assignment's rule says, or what a person has set; in
points for an assignment and in per cent for the course.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.academic.gradebook.records import read_records
from app.academic.models import Course, CourseSnapshot
from app.academic.snapshots import computed, keep
from app.academic.statistics import Summary, summarise
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from app.academic.figures import AssignmentReport
    from app.academic.gradebook.records import Records


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
    # Students who handed in, and those of them whose attempt that counts was late.
    authors: int
    late: int
    # Students whose deadline is over and who handed in nothing.
    missing: int
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

    @property
    def median_rows(self) -> list[tuple[str, float | None]]:
        """Each assignment's title and its median in per cent, for a chart."""
        return [(line.title, line.summary.median_percent) for line in self.assignments]


def refresh_snapshot(title: str, *, on_progress: Callable[[float, float, str], None]) -> CourseNumbers:
    """Compute a course's numbers and replace its snapshots; raises `UnknownCourse`.

    An assignment of which nothing has changed is not computed again, so that asking often costs little.
    """
    course = db.session.scalar(select(Course).where(Course.title == title))
    if course is None:
        raise UnknownCourse(title)
    course_id = course.id
    records = read_records(db.session(), course)
    reports: list[tuple[AssignmentReport, str]] = []
    for count, assignment in enumerate(records.assignments, start=1):
        reports.append(computed(db.session(), assignment, records))
        on_progress(count, len(records.assignments), assignment.title)
    made = _course_numbers(records, [report for report, _ in reports])
    with writing() as session:
        for report, basis in reports:
            keep(session, report, basis)
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


def _course_numbers(records: Records, reports: Sequence[AssignmentReport]) -> CourseNumbers:
    percents = [
        100 * standing.score / assignment.points
        for assignment in records.assignments
        for student in records.students
        if (standing := records.standing(student.id, assignment)).score is not None
    ]
    return CourseNumbers(
        students=len(records.students),
        summary=summarise(percents, 100),
        assignments=tuple(_line(report) for report in reports),
        computed_at=dt.datetime.now(dt.UTC),
    )


def _line(report: AssignmentReport) -> AssignmentNumbers:
    return AssignmentNumbers(
        assignment_id=report.assignment_id,
        title=report.title,
        attempts=report.attempts,
        authors=report.submitted,
        late=report.late,
        missing=report.missing,
        summary=report.counting,
    )


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
            AssignmentNumbers(**{"missing": 0, **line, "summary": _summary(line["summary"])})
            for line in raw["assignments"]
        ),
        computed_at=row.computed_at,
    )


def _summary(raw: dict[str, Any]) -> Summary:
    return Summary(**{**raw, "histogram": tuple(raw["histogram"])})
