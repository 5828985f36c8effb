"""An assignment in numbers, by hand-made moments and scores."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from app.academic.figures import Arrivals, AssignmentReport, arrivals, for_students
from app.academic.gradebook.standing import Attempt, counting, standing
from app.academic.item_analysis import Item, item_figures
from app.academic.statistics import summarise

DUE = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def at(**difference: float) -> dt.datetime:
    """A moment, told from the deadline."""
    return DUE + dt.timedelta(**difference)


def attempt(
    number: int, score: float | None, *, outcome: str | None = "graded", is_chosen: bool = False
) -> Attempt:
    """An attempt of somebody."""
    return Attempt(
        id=number,
        assignment_id=1,
        student_id=1,
        number=number,
        receipt=f"R{number}",
        is_late=False,
        is_chosen=is_chosen,
        created_at=DUE,
        outcome=outcome,
        score=score,
        graded_at=None,
    )


def report(scores: list[float], **changes: object) -> AssignmentReport:
    """A snapshot with these scores."""
    made = AssignmentReport(
        assignment_id=1,
        title="One",
        version=1,
        enrolled=9,
        submitted=len(scores),
        late=0,
        missing=0,
        not_gradable=0,
        waiting=0,
        failed=0,
        attempts=len(scores),
        counting=summarise(scores, 10),
        first=summarise(scores, 10),
        best=summarise(scores, 10),
        per_student=((1, len(scores)),),
        arrivals=arrivals([at(hours=-1)], DUE),
        has_deadline=True,
        tests=item_figures([[Item(name="t", title="T", is_passed=True, points=1.0)]]),
        median_seconds=3.5,
        similarity=(0, 1),
        hides=False,
        computed_at=DUE,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([], Arrivals()),
        ([at()], Arrivals(first_hour=-1, counts=(1,))),
        ([at(seconds=-1), at(hours=-1, seconds=-1)], Arrivals(first_hour=-2, counts=(1, 1))),
        ([at(seconds=1)], Arrivals(first_hour=0, counts=(1,))),
        ([at(hours=-1), at(minutes=30)], Arrivals(first_hour=-2, counts=(1, 0, 1))),
        ([at(hours=-100), at(hours=-71.5)], Arrivals(first_hour=-72, counts=(1, *[0] * 71), earlier=1)),
        ([at(hours=30), at(hours=-0.5)], Arrivals(first_hour=-1, counts=(1, *[0] * 24), later=1)),
        ([at(hours=30)], Arrivals(first_hour=23, counts=(0,), later=1)),
    ],
)
def test_submissions_are_counted_by_hours_to_the_deadline(
    moments: list[dt.datetime], expected: Arrivals
) -> None:
    """What came at the deadline's very second came before it; what is far away is counted together."""
    found = arrivals(moments, DUE)
    assert expected == found
    assert len(moments) == sum(found.counts) + found.earlier + found.later


def test_without_a_deadline_hours_are_told_from_the_last_submission() -> None:
    """The last one stands in the last hour."""
    assert Arrivals(first_hour=-3, counts=(1, 0, 1)) == arrivals([at(hours=-2), at()], None)


@pytest.mark.parametrize(
    ("rule", "expected"), [("last", 3), ("best", 1), ("chosen", 2), ("anything else", 3)]
)
def test_the_rule_says_which_attempt_counts(rule: str, expected: int) -> None:
    """The last, the best (of equal ones the first), or the chosen one, of those that have a score."""
    made = [attempt(1, 9.0), attempt(2, 5.0, is_chosen=True), attempt(3, 9.0), attempt(4, None, outcome=None)]
    found = counting(made, rule)
    assert found is not None
    assert expected == found.number
    assert None is counting(made[3:], rule)


def test_every_standing_has_its_mark() -> None:
    """Missing, open, waiting, not gradable, graded: told apart by what is there."""
    ungraded, broken = attempt(2, None, outcome=None), attempt(2, None, outcome="not_gradable")
    good = attempt(1, 7.0)
    assert "missing" == standing([], None, None, is_over=True).mark
    assert "open" == standing([], None, None, is_over=False).mark
    assert ("waiting", 7.0) == (
        (found := standing([good, ungraded], good, None, is_over=True)).mark,
        found.score,
    )
    for outcome, mark in (("waiting", "marking"), ("failed", "failed")):
        assert mark == standing([attempt(1, None, outcome=outcome)], None, None, is_over=True).mark
    assert "not_gradable" == standing([broken], None, None, is_over=True).mark
    assert "graded" == standing([good, broken], good, None, is_over=True).mark


def test_a_snapshot_comes_back_from_its_text() -> None:
    """What the job stored is what the page shows."""
    made = report([1.0, 2.5, 10.0])
    assert made == AssignmentReport.from_json(made.to_json())


def test_students_are_told_nothing_about_a_few_and_nothing_hidden() -> None:
    """Five scores are the least, and a test that hides something hides the others' totals too."""
    assert None is for_students(None)
    assert None is for_students(report([1.0] * 4))
    assert None is for_students(report([1.0] * 5, hides=True))
    assert report([1.0] * 5).counting == for_students(report([1.0] * 5))
