"""The gradebook as a table for spreadsheets, and back: manual scores with a preview of what changes.

The columns that are read are `e-mail` and those named like an assignment. The others that were
written are passed over, so that a download can be changed and sent back whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.gradebook.overrides import OverrideRefused, read_score, set_override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.book import Book, Line
    from app.academic.models import Assignment

EMAIL: Final = "e-mail"
MARK: Final = " mark"
PASSED_OVER: Final = frozenset({"last name", "first name", "per cent"})

MAX_BYTES: Final = 300_000
MAX_ROWS: Final = 5_000


class TableRefused(ValueError):
    """The table cannot be read; `problems` names row and column of each thing to change."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep every problem, in the order of the table."""
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One score that would become another."""

    assignment_id: int
    title: str
    student_id: int
    student: str
    before: float | None
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a table would change; `digest` is that of the changes a person has seen."""

    changes: tuple[Change, ...]
    # Scores in the table that are the present ones.
    same: int

    @property
    def digest(self) -> str:
        """Equal when and only when the same scores change from the same to the same."""
        facts = [(it.assignment_id, it.student_id, it.before, it.after) for it in self.changes]
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def rows_of(book: Book) -> list[list[object]]:
    """The table, its head first: names, then score and mark of each assignment, then the per cent."""
    head: list[object] = ["last name", "first name", EMAIL]
    for assignment in book.assignments:
        head += [assignment.slug, assignment.slug + MARK]
    return [[*head, "per cent"], *(_row(line) for line in book.lines)]


def preview_of(book: Book, content: bytes) -> Preview:
    """What the table would change in the gradebook; raises `TableRefused`."""
    rows = _read(content)
    columns = _columns(book, rows[0])
    lines = {line.student.email.casefold(): line for line in book.lines}
    changes: list[Change] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    same = 0
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            line = _line(row, columns, lines, seen, number)
        except OverrideRefused as refused:
            problems.append(f"Row {number}, column {EMAIL}: {refused}")
            continue
        found, equal = _read_row(line, row, columns, book, problems, number)
        changes += found
        same += equal
    if problems:
        raise TableRefused(problems)
    return Preview(changes=tuple(changes), same=same)


def apply_changes(
    session: Session, assignments: Sequence[Assignment], preview: Preview, *, reason: str, by_id: int
) -> int:
    """Set every score of a preview by hand, with one reason; give how many."""
    by_number = {assignment.id: assignment for assignment in assignments}
    for change in preview.changes:
        set_override(
            session,
            by_number[change.assignment_id],
            change.student_id,
            score=change.after,
            reason=reason,
            by_id=by_id,
        )
    return len(preview.changes)


def _row(line: Line) -> list[object]:
    cells: list[object] = [line.student.last_name, line.student.first_name, line.student.email]
    for standing in line.standings:
        cells += [None if standing.score is None else round(standing.score, 4), standing.words]
    return [*cells, None if line.percent is None else round(line.percent, 2)]


def _read(content: bytes) -> list[list[str]]:
    if len(content) > MAX_BYTES:
        raise TableRefused([f"File: larger than {MAX_BYTES:,} bytes."])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableRefused([f"File: byte {error.start + 1} is not UTF-8. Save it as CSV UTF-8."]) from None
    if "\x00" in text:
        raise TableRefused(["File: it holds NUL characters, so it is no CSV file."])
    first = text.partition("\n")[0]
    mark = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise TableRefused([f"File: not a CSV file: {error}."]) from None
    if len(rows) < 2 or len(rows) > MAX_ROWS:  # noqa: PLR2004 - a head and one row
        raise TableRefused([f"File: expected a row of names and 1 to {MAX_ROWS:,} rows of students."])
    return rows


def _columns(book: Book, head: Sequence[str]) -> dict[str, int]:
    """Where each column stands that is read."""
    names = [_plain(cell) for cell in head]
    slugs = {assignment.slug for assignment in book.assignments}
    known = slugs | {slug + MARK for slug in slugs} | PASSED_OVER | {EMAIL}
    problems = [
        f"Row 1, column {place}: {name!r} is no assignment. There are: {', '.join(sorted(slugs)) or 'none'}."
        for place, name in enumerate(names, start=1)
        if name and name not in known
    ]
    problems += [f"Row 1: the column {name!r} is there twice." for name in sorted(_doubles(names))]
    if EMAIL not in names:
        problems.append(f"Row 1: there is no column {EMAIL!r} to find the students by.")
    if not slugs.intersection(names):
        problems.append(f"Row 1: there is no assignment. There are: {', '.join(sorted(slugs)) or 'none'}.")
    if problems:
        raise TableRefused(problems)
    return {name: place for place, name in enumerate(names) if name in slugs or name == EMAIL}


def _doubles(names: Sequence[str]) -> set[str]:
    return {name for name in names if name and names.count(name) > 1}


def _line(
    row: Sequence[str], columns: dict[str, int], lines: dict[str, Line], seen: dict[str, int], number: int
) -> Line:
    email = _cell(row, columns[EMAIL]).casefold()
    if email not in lines:
        raise OverrideRefused(f"{email[:80]!r} is nobody who takes this course.")
    if email in seen:
        raise OverrideRefused(f"{email[:80]!r} stands in row {seen[email]} already.")
    seen[email] = number
    return lines[email]


def _read_row(
    line: Line, row: Sequence[str], columns: dict[str, int], book: Book, problems: list[str], number: int
) -> tuple[list[Change], int]:
    changes: list[Change] = []
    same = 0
    for assignment, standing in zip(book.assignments, line.standings, strict=True):
        text = _cell(row, columns[assignment.slug]) if assignment.slug in columns else ""
        if not text:
            continue
        try:
            score = read_score(text, assignment.points)
        except OverrideRefused as refused:
            problems.append(f"Row {number}, column {assignment.slug}: {refused}")
            continue
        if standing.score is not None and abs(score - standing.score) <= 5e-5:  # noqa: PLR2004 - as written
            same += 1
            continue
        changes.append(
            Change(
                assignment_id=assignment.id,
                title=assignment.title,
                student_id=line.student.id,
                student=line.student.listed_name,
                before=standing.score,
                after=score,
            )
        )
    return changes, same


def _cell(row: Sequence[str], place: int) -> str:
    return _plain(row[place]) if place < len(row) else ""


def _plain(cell: str) -> str:
    """A cell without white space and without the mark that keeps a spreadsheet from computing it."""
    text = cell.strip()
    return text[1:].strip() if text.startswith("'") else text
