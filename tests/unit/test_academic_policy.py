"""Deadlines, what late work loses, and which attempt counts."""

from __future__ import annotations

import datetime as dt

import pytest

from app.academic.models import Assignment, Extension, Grade, Submission
from app.academic.policy import Budget, Deadline, after_penalty, counting, deadline_of

DUE = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("per", "after", "lost"),
    [
        ("day", -HOUR, 0),
        ("day", dt.timedelta(0), 0),
        ("day", 5 * MINUTE, 0),
        ("day", 6 * MINUTE, 10),
        ("day", DAY, 10),
        ("day", DAY + MINUTE, 20),
        ("day", 30 * DAY, 100),
        ("hour", 90 * MINUTE, 20),
        ("once", 30 * DAY, 10),
    ],
)
def test_each_unit_that_has_begun_costs(per: str, after: dt.timedelta, lost: float) -> None:
    """Counted from the deadline itself; the grace only says what is late at all; never below nothing."""
    deadline = Deadline(due_at=DUE, per=per, percent=10, grace=5 * MINUTE)
    assert lost == deadline.percent_lost(DUE + after)
    assert (lost > 0) == deadline.is_late(DUE + after)


def test_a_penalty_takes_a_share_of_the_score() -> None:
    """80 points less 15 per cent are 68."""
    assert 68.0 == after_penalty(80, 15)


def test_without_a_deadline_nothing_is_late_or_closed() -> None:
    """An assignment may be open for good."""
    deadline = Deadline(percent=10)
    assert (False, False, 0.0) == (deadline.is_late(DUE), deadline.is_closed(DUE), deadline.percent_lost(DUE))


def test_an_extension_moves_the_deadline_of_one_student() -> None:
    """What is not named stays, and nothing closes before it is due."""
    assignment = Assignment(
        due_at=DUE, late_due_at=DUE + DAY, late_per="day", late_percent=10.0, grace_seconds=60
    )
    plain = deadline_of(assignment)
    assert (DUE, True) == (plain.due_at, plain.is_closed(DUE + DAY + 2 * MINUTE))
    assert not plain.is_closed(DUE + DAY + MINUTE)
    longer = deadline_of(assignment, Extension(due_at=DUE + 3 * DAY))
    assert (DUE + 3 * DAY, DUE + 3 * DAY) == (longer.due_at, longer.late_due_at)
    assert 0.0 == longer.percent_lost(DUE + 2 * DAY)


def test_what_is_left_is_the_smaller_of_both_limits() -> None:
    """A limit in all and one within a window hold together."""
    assert 1 == Budget(used=5, most=6, used_in_window=0, window_most=3).left
    assert 0 == Budget(used=5, most=9, used_in_window=4, window_most=3).left
    assert Budget().left is None
    assert Budget(used=6, most=6).is_used_up


def attempt(number: int, score: float | None, outcome: str = "graded", *, chosen: bool = False) -> Submission:
    """Make an attempt with its grade."""
    grade = Grade(outcome=outcome, score=score)
    return Submission(number=number, is_chosen=chosen, grade=grade)


@pytest.mark.parametrize(("counts", "number"), [("last", 3), ("best", 1), ("chosen", 2)])
def test_which_attempt_counts(counts: str, number: int) -> None:
    """The last, the best (of equal ones the earlier), or the chosen; never one that cannot be graded."""
    attempts = [
        attempt(1, 9.0),
        attempt(2, 4.0, chosen=True),
        attempt(3, 9.0),
        attempt(4, None, "not_gradable"),
    ]
    found = counting(attempts, counts)
    assert found is not None
    assert number == found.number


def test_without_grades_or_a_choice_the_last_counts() -> None:
    """Somebody who has handed in has something that counts."""
    attempts = [Submission(number=1), Submission(number=2)]
    assert [2, 2, 2] == [
        it.number for counts in ("last", "best", "chosen") if (it := counting(attempts, counts))
    ]
    assert counting([], "best") is None
