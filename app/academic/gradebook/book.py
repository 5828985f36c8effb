"""A course as a table: a line per student, a column per assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.gradebook.records import read_records
from app.academic.gradebook.standing import MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.records import Records, Student
    from app.academic.gradebook.standing import Standing
    from app.academic.models import Assignment, Course

# What the filter offers beside the marks.
FILTERS: Final = {"late": "late", **MARKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A student's line: how they stand with each assignment, in the order of the columns."""

    student: Student
    standings: tuple[Standing, ...]
    # Points so far in per cent of those of the assignments that are over or have a score.
    percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is asked of the table: who, which mark (in which assignment), in which order."""

    query: str = ""
    mark: str = ""
    assignment_id: int | None = None
    # `name`, `percent`, or an assignment's id as text.
    sort: str = "name"
    is_descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The table."""

    assignments: tuple[Assignment, ...]
    lines: tuple[Line, ...]
    # How many students take the course, whatever is shown of them.
    student_count: int


def read_book(session: Session, course: Course, view: View | None = None) -> Book:
    """Read the gradebook of a course in a handful of queries, whatever its size."""
    asked = view or View()
    records = read_records(session, course)
    lines = [_line(student, records) for student in records.students]
    shown = [line for line in lines if _is_asked(line, records.assignments, asked)]
    return Book(
        assignments=records.assignments,
        lines=tuple(_sorted(shown, records.assignments, asked)),
        student_count=len(records.students),
    )


def _line(student: Student, records: Records) -> Line:
    standings = tuple(records.standing(student.id, it) for it in records.assignments)
    return Line(student=student, standings=standings, percent=_percent(records.assignments, standings))


def _percent(assignments: Sequence[Assignment], standings: Sequence[Standing]) -> float | None:
    """Missing work counts as nothing; what is open or waits does not count yet."""
    counted = [
        (it.score or 0.0, assignment.points)
        for assignment, it in zip(assignments, standings, strict=True)
        if it.score is not None or it.mark == "missing"
    ]
    return (
        100 * sum(score for score, _ in counted) / sum(points for _, points in counted) if counted else None
    )


def _is_asked(line: Line, assignments: Sequence[Assignment], view: View) -> bool:
    wanted = view.query.casefold().split()
    text = f"{line.student.first_name} {line.student.last_name} {line.student.email}".casefold()
    if not all(word in text for word in wanted):
        return False
    return not view.mark or any(
        _has_mark(it, view.mark)
        for assignment, it in zip(assignments, line.standings, strict=True)
        if view.assignment_id in {None, assignment.id}
    )


def _has_mark(standing_: Standing, mark: str) -> bool:
    return standing_.is_late if mark == "late" else standing_.mark == mark


def _sorted(lines: list[Line], assignments: Sequence[Assignment], view: View) -> list[Line]:
    columns = {str(assignment.id): place for place, assignment in enumerate(assignments)}
    if view.sort != "percent" and view.sort not in columns:
        return lines[::-1] if view.is_descending else lines

    def value(line: Line) -> float | None:
        return line.percent if view.sort == "percent" else line.standings[columns[view.sort]].score

    # Nothing is neither the least nor the most: it stands at the end, whichever way.
    known = [line for line in lines if value(line) is not None]
    known.sort(key=lambda line: value(line) or 0.0, reverse=view.is_descending)
    return known + [line for line in lines if value(line) is None]
