"""An assignment in numbers: pure functions over what the database has of it, no database here.

Only enrolled students are counted, and of each the attempt that counts; a score that a person
has set counts instead of it.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from app.academic.gradebook.standing import counting
from app.academic.item_analysis import Item, ItemFigures, item_figures
from app.academic.statistics import Summary, summarise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.academic.gradebook.records import Records
    from app.academic.gradebook.standing import Attempt, Standing
    from app.academic.grading.results import GradeReport
    from app.academic.models import Assignment

# What is drawn of the hours around a deadline.
HOURS_BEFORE: Final = 72
HOURS_AFTER: Final = 24
# Students are told nothing about fewer: it would be about persons.
LEAST_FOR_STUDENTS: Final = 5
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How many submissions came in each hour, counted from the deadline or else from the last of them."""

    first_hour: int = 0
    """The hour of the first count: -3 is what came between three and two hours before."""
    counts: tuple[int, ...] = ()
    earlier: int = 0
    later: int = 0
    """What came outside of the hours that are counted one by one."""

    @property
    def last_hour(self) -> int:
        """The end of the last hour."""
        return self.first_hour + len(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReport:
    """One assignment's snapshot."""

    assignment_id: int
    title: str
    version: int
    enrolled: int
    submitted: int
    late: int
    missing: int
    """Students whose deadline is over and who handed in nothing."""
    not_gradable: int
    waiting: int
    """Students whose newest attempt has no grade yet, also where a person has to judge it."""
    failed: int
    """Students whose newest attempt could not be graded through no fault of theirs."""
    attempts: int
    counting: Summary
    first: Summary
    """Each student's first attempt that has a score."""
    best: Summary
    per_student: tuple[tuple[int, int], ...]
    """Pairs: so many attempts, made by so many students."""
    arrivals: Arrivals
    has_deadline: bool
    tests: tuple[ItemFigures, ...]
    median_seconds: float | None
    """From handing in to the grade; grades of a regrade are left out."""
    similarity: tuple[int, ...]
    hides: bool
    """Whether tests keep something from students for now."""
    computed_at: dt.datetime

    def to_json(self) -> str:
        """Write as JSON text."""
        raw = asdict(self)
        raw["computed_at"] = self.computed_at.isoformat()
        return json.dumps(raw)

    @classmethod
    def from_json(cls, text: str) -> AssignmentReport:
        """Read what `to_json` wrote."""
        raw = {"failed": 0, **json.loads(text)}
        for name in ("counting", "first", "best"):
            raw[name] = _summary(raw[name])
        raw["arrivals"] = Arrivals(**{**raw["arrivals"], "counts": tuple(raw["arrivals"]["counts"])})
        raw["tests"] = tuple(ItemFigures(**test) for test in raw["tests"])
        raw["per_student"] = tuple((attempts, students) for attempts, students in raw["per_student"])
        raw["similarity"] = tuple(raw["similarity"])
        raw["computed_at"] = dt.datetime.fromisoformat(raw["computed_at"])
        return cls(**raw)


def counting_attempts(records: Records, assignment: Assignment) -> list[Attempt]:
    """The attempt of each enrolled student that counts, of those who have one with a score."""
    found = (counting(made, assignment.counts) for made in _made(records, assignment))
    return [attempt for attempt in found if attempt is not None]


def report_of(
    assignment: Assignment,
    records: Records,
    *,
    reports: Mapping[int, GradeReport],
    graded_again: Collection[int] = (),
    similarity: Sequence[int] = (),
    hides: bool = False,
) -> AssignmentReport:
    """Describe an assignment; `reports` are those of its counting attempts, by submission."""
    standings = [records.standing(student.id, assignment) for student in records.students]
    made = _made(records, assignment)
    attempts = [attempt for of_one in made for attempt in of_one]
    scored = [scores for of_one in made if (scores := [it.score for it in of_one if it.score is not None])]
    return AssignmentReport(
        assignment_id=assignment.id,
        title=assignment.title,
        version=assignment.version,
        enrolled=len(records.students),
        submitted=len(made),
        late=sum(it.is_late for it in standings),
        missing=_count(standings, "missing"),
        not_gradable=_count(standings, "not_gradable"),
        waiting=_count(standings, "waiting") + _count(standings, "marking"),
        failed=_count(standings, "failed"),
        attempts=len(attempts),
        counting=summarise([it.score for it in standings if it.score is not None], assignment.points),
        first=summarise([scores[0] for scores in scored], assignment.points),
        best=summarise([max(scores) for scores in scored], assignment.points),
        per_student=tuple(sorted(Counter(len(of_one) for of_one in made).items())),
        arrivals=arrivals([it.created_at for it in attempts], assignment.due_at),
        has_deadline=assignment.due_at is not None,
        tests=item_figures(
            [_items(reports[it.id]) for it in counting_attempts(records, assignment) if it.id in reports]
        ),
        median_seconds=_median_seconds(attempts, graded_again),
        similarity=tuple(similarity),
        hides=hides,
        computed_at=dt.datetime.now(dt.UTC),
    )


def arrivals(moments: Iterable[dt.datetime], due_at: dt.datetime | None) -> Arrivals:
    """Count moments by hours to the deadline; what came at its very second came before it."""
    found = sorted(moments)
    if not found:
        return Arrivals()
    zero = due_at or found[-1]
    hours = [math.ceil((moment - zero).total_seconds() / _HOUR) - 1 for moment in found]
    first = max(hours[0], -HOURS_BEFORE)
    last = min(max(hours[-1], -1), HOURS_AFTER - 1)
    first = min(first, last)
    counted = Counter(hours)
    return Arrivals(
        first_hour=first,
        counts=tuple(counted[hour] for hour in range(first, last + 1)),
        earlier=sum(hour < first for hour in hours),
        later=sum(hour > last for hour in hours),
    )


def for_students(report: AssignmentReport | None) -> Summary | None:
    """What students may know of the others' scores: nothing of a few, nothing while tests hide something."""
    if report is None or report.hides or report.counting.count < LEAST_FOR_STUDENTS:
        return None
    return report.counting


def _made(records: Records, assignment: Assignment) -> list[list[Attempt]]:
    """The attempts of each enrolled student who has made some."""
    found = (records.attempts.get((assignment.id, student.id), []) for student in records.students)
    return [of_one for of_one in found if of_one]


def _count(standings: Sequence[Standing], mark: str) -> int:
    return sum(it.mark == mark for it in standings)


def _items(report: GradeReport) -> list[Item]:
    return [
        Item(
            name=test.name,
            title=test.title,
            is_passed=test.is_passed,
            points=test.points,
            message=test.message,
        )
        for test in report.tests
    ]


def _median_seconds(attempts: Sequence[Attempt], graded_again: Collection[int]) -> float | None:
    waits = [
        (it.graded_at - it.created_at).total_seconds()
        for it in attempts
        if it.graded_at is not None and it.id not in graded_again
    ]
    return statistics.median(waits) if waits else None


def _summary(raw: dict[str, Any]) -> Summary:
    return Summary(**{**raw, "histogram": tuple(raw["histogram"])})
