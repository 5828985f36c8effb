"""Single tests in numbers: against tables worked out by hand and against other formulas for the same."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.academic.item_analysis import Item, correlation, interval, item_figures


def row(*points: float, message: str = "") -> list[Item]:
    """One student's points, a test each."""
    return [
        Item(name=f"t{number}", title=f"Test {number}", is_passed=value > 0, points=value, message=message)
        for number, value in enumerate(points)
    ]


def test_a_correlation_worked_out_by_hand() -> None:
    """Of (1, 2, 3, 4) and (2, 1, 4, 3) it is 3 / 5."""
    found = correlation([1, 2, 3, 4], [2, 1, 4, 3])
    assert found == pytest.approx(0.6)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=50))
def test_a_correlation_is_that_of_the_standard_library(pairs: list[tuple[float, float]]) -> None:
    """Where both vary enough to be measured, another computation of Pearson's gives the same."""
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = correlation(first, second)
    if found is None or min(statistics.pvariance(first), statistics.pvariance(second)) < 1e-6:
        return
    assert found == pytest.approx(statistics.correlation(first, second), abs=1e-6)


def test_a_point_biserial_is_the_difference_of_two_means() -> None:
    """For tests that are passed or not, the textbook's other formula gives the same number.

    r = (M1 - M0) / s * sqrt(p q), with the population's standard deviation of the other tests.
    """
    rows = [row(*(float((skill * prime) % 31 < skill) for prime in (3, 5, 7, 11, 13))) for skill in range(30)]
    for place, figures in enumerate(item_figures(rows)):
        passed = [items[place].points for items in rows]
        rests = [sum(item.points for item in items) - items[place].points for items in rows]
        ones = [rest for rest, value in zip(rests, passed, strict=True) if value]
        zeros = [rest for rest, value in zip(rests, passed, strict=True) if not value]
        share = len(ones) / len(rests)
        expected = (statistics.fmean(ones) - statistics.fmean(zeros)) / statistics.pstdev(rests)
        assert expected * math.sqrt(share * (1 - share)) == pytest.approx(figures.discrimination)


@pytest.mark.parametrize(
    ("value", "count", "low", "high"),
    [
        # Tables of Fisher's transformation: z(0.5) = 0.5493, 1.96 / sqrt(n - 3).
        (0.5, 28, 0.1560, 0.7358),
        (0.0, 103, -0.1935, 0.1935),
        (-0.8, 12, -0.9416, -0.4180),
    ],
)
def test_an_interval_is_that_of_the_tables(value: float, count: int, low: float, high: float) -> None:
    """The 95 % interval is Fisher's."""
    assert interval(value, count) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(("value", "count"), [(1.0, 50), (-1.0, 50), (0.3, 3), (0.3, 2)])
def test_an_interval_at_its_ends_is_no_error(value: float, count: int) -> None:
    """A perfect correlation has no width, three pairs say nothing."""
    low, high = interval(value, count)
    assert -1 <= low <= value <= high <= 1


def test_fewer_than_twenty_students_say_nothing_about_a_test() -> None:
    """Discrimination is refused under 20; the pass rate is not."""
    rows = [row(float(number % 2), float(number % 3 == 0), 1.0) for number in range(19)]
    assert [None] * 3 == [figures.discrimination for figures in item_figures(rows)]
    assert 9 / 19 == item_figures(rows)[0].pass_rate
    assert item_figures([*rows, row(1.0, 0.0, 1.0)])[0].discrimination is not None


def test_what_everybody_passes_or_fails_is_flagged() -> None:
    """Such a test tells nobody from anybody."""
    figures = item_figures([row(1.0, 0.0, float(number % 2)) for number in range(30)])
    assert ["everybody passes", "everybody fails"] == [it.flag for it in figures[:2]]
    assert [None, None] == [it.discrimination for it in figures[:2]]


def test_a_test_that_the_best_fail_is_flagged() -> None:
    """A negative discrimination whose interval is below nothing is probably a wrong test."""
    rows = [row(*(float(skill > level) for level in range(5)), float(skill < 3)) for skill in range(6)] * 6
    flags = [it.flag for it in item_figures(rows)]
    assert "negative: probably a wrong test" == flags[-1]


def test_the_most_frequent_failure_is_told() -> None:
    """Of all messages of a test that failed, the first line that comes most often, and how often."""
    rows = (
        [row(0.0, message="got 3\nnot 4")] * 3 + [row(0.0, message="boom")] * 2 + [row(1.0, message="fine")]
    )
    [figures] = item_figures(rows)
    assert ("got 3", 3) == (figures.failure, figures.failure_count)


def test_a_test_that_not_everybody_had_counts_those_who_had_it() -> None:
    """After a change of the tests some were graded with others."""
    rows = [row(1.0)] * 2 + [row(0.0, 1.0)]
    assert [(3, 2), (1, 1)] == [(it.count, it.passed) for it in item_figures(rows)]


def test_nothing_is_no_error() -> None:
    """Without graded work there are no tests."""
    assert () == item_figures([])
