"""Whom to look after: students whom a named rule finds, and what a person did about it.

No score is made of the rules: each says in words what it has found.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.gradebook.models import CONCERN_STATES, REASON_LENGTH, Concern, WatchRule
from app.accounts import audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.book import Book, Line
    from app.academic.gradebook.records import Student
    from app.academic.models import Assignment

RULES: Final = ("missing", "late", "below", "drop")
# Scores that fall each time are a drop only over so many.
DROP_LENGTH: Final = 3
_MOST: Final = {"missing": 100, "late": 100, "below_percent": 100, "drop_percent": 100}


class WatchRefused(ValueError):
    """What was sent cannot be taken; the message names the field and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule has found a student."""

    rule: str
    words: str
    # How bad it is, in the rule's own measure: more than before opens the concern again.
    extent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A finding and what became of it."""

    student: Student
    finding: Finding
    # open, contacted or resolved
    state: str
    note: str = ""
    decided_at: dt.datetime | None = None


def rules_of(session: Session, course_id: int) -> WatchRule:
    """The course's rules, or those that hold where nobody has set any."""
    return session.get(WatchRule, course_id) or WatchRule(
        course_id=course_id, missing=2, late=3, below_percent=50, drop_percent=20
    )


def set_rules(session: Session, course_id: int, given: Mapping[str, str]) -> None:
    """Keep the rules that were sent; raises `WatchRefused`."""
    values = {name: _number(name, given.get(name, "")) for name in _MOST}
    row = session.get(WatchRule, course_id, with_for_update=True) or WatchRule(course_id=course_id)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    audit.record(session, "watch_rules_changed", f"course:{course_id}", after=str(values))


def watch_list(session: Session, course_id: int, book: Book) -> list[Watched]:
    """Everybody whom a rule finds: what is open first, then by name."""
    rules = rules_of(session, course_id)
    query = select(Concern).where(Concern.course_id == course_id)
    known = {(row.student_id, row.rule): row for row in session.scalars(query)}
    found = [
        _watched(line.student, finding, known.get((line.student.id, finding.rule)))
        for line in book.lines
        for finding in findings(line, book.assignments, rules)
    ]
    order = ("open", *CONCERN_STATES)
    return sorted(
        found, key=lambda it: (order.index(it.state), it.student.sort_key, RULES.index(it.finding.rule))
    )


def decide(session: Session, course_id: int, watched: Watched, *, state: str, note: str, by_id: int) -> None:
    """Keep what a person did about a finding; `open` takes it back. Raises `WatchRefused`."""
    if state not in {"open", *CONCERN_STATES}:
        raise WatchRefused(f"State: expected open, {' or '.join(CONCERN_STATES)}.")
    if len(note) > REASON_LENGTH:
        raise WatchRefused(f"Note: expected at most {REASON_LENGTH} characters, there are {len(note)}.")
    key = (course_id, watched.student.id, watched.finding.rule)
    row = session.get(Concern, key, with_for_update=True)
    before = row.state if row else "open"
    if state == "open":
        if row is not None:
            session.delete(row)
    else:
        row = row or Concern(course_id=course_id, student_id=watched.student.id, rule=watched.finding.rule)
        row.state, row.note, row.decided_by_id = state, note, by_id
        row.fact, row.decided_at = str(watched.finding.extent), dt.datetime.now(dt.UTC)
        session.add(row)
    subject = f"course:{course_id} user:{watched.student.id}"
    audit.record(
        session, "concern_decided", subject, before=before, after=f"{state}: {watched.finding.words}"
    )


def findings(line: Line, assignments: Sequence[Assignment], rules: WatchRule) -> Iterator[Finding]:
    """What the rules find about one student; a rule of 0 finds nothing."""
    together = list(zip(assignments, line.standings, strict=True))
    missing = [assignment.title for assignment, it in together if it.mark == "missing"]
    if rules.missing and len(missing) >= rules.missing:
        yield Finding(
            rule="missing", words=f"{len(missing)} missing: {', '.join(missing)}", extent=len(missing)
        )
    late = [assignment.title for assignment, it in together if it.is_late]
    if rules.late and len(late) >= rules.late:
        yield Finding(rule="late", words=f"{len(late)} late: {', '.join(late)}", extent=len(late))
    if line.percent is not None and line.percent < rules.below_percent:
        # Ten points further down are worth another look, one is not.
        extent = math.ceil((rules.below_percent - line.percent) / 10)
        words = f"{line.percent:.0f} % so far, below {rules.below_percent} %"
        yield Finding(rule="below", words=words, extent=extent)
    percents = [100 * it.score / assignment.points for assignment, it in together if it.score is not None]
    recent = percents[-DROP_LENGTH:]
    if rules.drop_percent and _falls(recent, rules.drop_percent):
        steps = " → ".join(f"{percent:.0f} %" for percent in recent)
        yield Finding(rule="drop", words=f"falling: {steps}", extent=len(percents))


def _falls(percents: Sequence[float], by: float) -> bool:
    if len(percents) < DROP_LENGTH or percents[0] - percents[-1] < by:
        return False
    return all(before > after for before, after in pairwise(percents))


def _watched(student: Student, finding: Finding, row: Concern | None) -> Watched:
    if row is None or finding.extent > int(row.fact):
        return Watched(student=student, finding=finding, state="open", note=row.note if row else "")
    return Watched(
        student=student, finding=finding, state=row.state, note=row.note, decided_at=row.decided_at
    )


def _number(name: str, text: str) -> int:
    most = _MOST[name]
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(most)) or int(digits) > most:
        label = name.replace("_", " ").capitalize()
        raise WatchRefused(f"{label}: expected a whole number from 0 to {most}; 0 switches the rule off.")
    return int(digits)
