"""The figures of scores: what they are, that they survive storing, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.academic.statistics import CourseFigures, Summary, histogram, summarise, summarise_course


def test_a_summary_of_known_scores() -> None:
    """Mean, median, quartiles (type 7) and sample deviation are those of the textbook."""
    summary = summarise([2, 4, 4, 4, 5, 5, 7, 9], 10, bins=10)
    assert (8, 5.0, 4.5) == (summary.count, summary.mean, summary.median)
    assert (4.0, 5.5) == (summary.lower_quartile, summary.upper_quartile)
    assert (2, 9) == (summary.minimum, summary.maximum)
    assert math.sqrt(32 / 7) == pytest.approx(summary.deviation)
    assert (0, 0, 1, 0, 3, 2, 0, 1, 0, 1) == summary.histogram
    assert 50.0 == summary.mean_percent


def test_no_scores_give_no_figures() -> None:
    """Where there is nothing, nothing is claimed: not a mean of zero."""
    summary = summarise([], 100)
    assert (0, None, None, None) == (summary.count, summary.mean, summary.deviation, summary.mean_percent)
    assert (0,) * 20 == summary.histogram


def test_one_score_is_its_own_quartiles_and_has_no_deviation() -> None:
    """One score does not vary."""
    summary = summarise([7], 10)
    assert (7, 7, 7) == (summary.lower_quartile, summary.median, summary.upper_quartile)
    assert None is summary.deviation


def test_the_order_of_scores_does_not_matter() -> None:
    """Scores are a bag, not a list."""
    assert summarise([1, 9, 3], 10) == summarise([9, 3, 1], 10)


@pytest.mark.parametrize(("score", "place"), [(0, 0), (4.99, 0), (5, 1), (99.9, 19), (100, 19), (120, 19)])
def test_a_step_holds_its_lower_end(score: float, place: int) -> None:
    """Full marks and a bonus are in the last step, a step's upper end is in the next."""
    assert place == histogram([score], 100).index(1)


@pytest.mark.parametrize("bins", [10, 20])
def test_no_score_is_lost_in_a_histogram(bins: int) -> None:
    """The steps add up to the number of scores."""
    assert 101 == sum(histogram(range(101), 100, bins=bins))


@pytest.mark.parametrize("scores", [[math.nan], [math.inf], [-1], [True], ["5"], [None]])
def test_what_is_no_score_is_refused(scores: list[Any]) -> None:
    """A figure made of nonsense would be believed: the score is named instead."""
    with pytest.raises(ValueError, match=r"score 1 is .*expected a number of 0 or more"):
        summarise(scores, 10)


@pytest.mark.parametrize("points", [0, -1, math.nan, math.inf, True, "10"])
def test_points_must_be_positive(points: Any) -> None:
    """A share of nothing cannot be told."""
    with pytest.raises(ValueError, match=r"points is .*expected a number above 0"):
        summarise([1], points)


@pytest.mark.parametrize("bins", [0, 101])
def test_a_histogram_has_a_sensible_number_of_steps(bins: int) -> None:
    """No step at all, or thousands, is a mistake of the caller's."""
    with pytest.raises(ValueError, match=f"bins is {bins}; expected 1 to 100"):
        histogram([1], 10, bins=bins)


@pytest.mark.parametrize("scores", [[], [3], [1, 2.5, 1 / 3]])
def test_a_summary_survives_json(scores: list[float]) -> None:
    """What is read back is what was written, to the last bit."""
    summary = summarise(scores, 10)
    assert summary == Summary.from_json(summary.to_json())


def test_a_course_is_the_mean_of_its_scores_in_percent() -> None:
    """Assignments with other points count alike; one without scores counts as an assignment."""
    course = summarise_course({"One": ([5, 10], 10), "Two": ([30], 100), "Three": ([], 5)})
    assert (3, 3, 60.0) == (course.assignment_count, course.score_count, course.average_score)
    assert [75.0, 30.0, None] == [line.summary.mean_percent for line in course.assignments]


@pytest.mark.parametrize("assignments", [{}, {"One": ([], 10)}, {"One": ([1, 2], 3), "Two": ([4], 9)}])
def test_a_course_survives_json(assignments: dict[str, tuple[list[float], float]]) -> None:
    """A snapshot says what was computed."""
    course = summarise_course(assignments)
    assert course == CourseFigures.from_json(course.to_json())
