"""Scores in numbers: pure functions, no database; what the analytics job stores and pages show.

A `Summary` describes one assignment's scores, `CourseFigures` a course's assignments. Both go
to JSON and back without loss.
"""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BINS: Final = 20
MOST_BINS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Scores of one assignment. Without scores all figures but the count are None."""

    count: int
    points: float
    """What can be reached; a score above it is a bonus."""
    mean: float | None = None
    median: float | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    deviation: float | None = None
    """Sample standard deviation; None for fewer than two scores."""
    histogram: tuple[int, ...] = ()
    """Counts in equal steps from 0 to `points`."""

    @property
    def mean_percent(self) -> float | None:
        """The mean in percent of the points."""
        return None if self.mean is None else 100 * self.mean / self.points

    @property
    def median_percent(self) -> float | None:
        """The median in percent of the points."""
        return None if self.median is None else 100 * self.median / self.points

    def to_json(self) -> str:
        """Write as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """Read what `to_json` wrote."""
        return _summary(json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFigures:
    """One assignment's line in a course's statistics."""

    title: str
    summary: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseFigures:
    """What a course's snapshot holds."""

    assignment_count: int
    score_count: int
    average_score: float | None
    """Mean of all scores, each in percent of its assignment's points; None without scores."""
    assignments: tuple[AssignmentFigures, ...] = field(default=())

    def to_json(self) -> str:
        """Write as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CourseFigures:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        lines = tuple(
            AssignmentFigures(title=line["title"], summary=_summary(line["summary"]))
            for line in raw.pop("assignments")
        )
        return cls(**raw, assignments=lines)


def summarise(scores: Iterable[float], points: float, *, bins: int = BINS) -> Summary:
    """Describe the scores of one assignment.

    Median: middle value, or mean of the two middle ones. Quartiles: linear between the closest
    ranks (type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50, 1996; what spreadsheets call QUARTILE.INC). Deviation: sample standard
    deviation, with Bessel's n - 1.

    Raises ValueError for points that are not positive and for scores that are no scores.
    """
    checked = _checked(scores, points)
    counts = histogram(checked, points, bins=bins)
    if not checked:
        return Summary(count=0, points=points, histogram=counts)
    lower, median, upper = _quartiles(checked)
    return Summary(
        count=len(checked),
        points=points,
        mean=statistics.fmean(checked),
        median=median,
        lower_quartile=lower,
        upper_quartile=upper,
        minimum=min(checked),
        maximum=max(checked),
        deviation=statistics.stdev(checked) if len(checked) > 1 else None,
        histogram=counts,
    )


def histogram(scores: Iterable[float], points: float, *, bins: int = BINS) -> tuple[int, ...]:
    """Count scores in equal steps from 0 to `points`.

    A step holds its lower end and not its upper one; the last holds full marks and any bonus.
    """
    if not 1 <= bins <= MOST_BINS:
        raise ValueError(f"bins is {bins}; expected 1 to {MOST_BINS}")
    counts = [0] * bins
    for score in _checked(scores, points):
        counts[min(int(score * bins / points), bins - 1)] += 1
    return tuple(counts)


def summarise_course(assignments: Mapping[str, tuple[Sequence[float], float]]) -> CourseFigures:
    """Describe a course: by title of each assignment its scores and its points.

    An assignment without scores counts as an assignment and not in the average.
    """
    lines = tuple(
        AssignmentFigures(title=title, summary=summarise(scores, points))
        for title, (scores, points) in assignments.items()
    )
    percents = [100 * score / points for scores, points in assignments.values() for score in scores]
    return CourseFigures(
        assignment_count=len(lines),
        score_count=len(percents),
        average_score=statistics.fmean(percents) if percents else None,
        assignments=lines,
    )


def _checked(scores: Iterable[float], points: float) -> list[float]:
    if not _is_number(points) or points <= 0:
        raise ValueError(f"points is {points!r}; expected a number above 0")
    found = list(scores)
    for number, score in enumerate(found, start=1):
        if not _is_number(score) or score < 0:
            raise ValueError(f"score {number} is {score!r}; expected a number of 0 or more")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _quartiles(scores: Sequence[float]) -> tuple[float, float, float]:
    if len(scores) == 1:
        return scores[0], scores[0], scores[0]
    lower, middle, upper = statistics.quantiles(scores, n=4, method="inclusive")
    return lower, middle, upper


def _summary(raw: dict[str, Any]) -> Summary:
    return Summary(**{**raw, "histogram": tuple(raw["histogram"])})
