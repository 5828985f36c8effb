"""How single tests do: who passes them, and whether those are the ones who do well elsewhere.

Pure functions over a table of points: a row per student, a column per test.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# Below this a correlation says more about chance than about the test.
LEAST_FOR_DISCRIMINATION: Final = 20
CONFIDENCE: Final = 0.95
_MOST_TEXT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """How one test ended for one student."""

    name: str
    title: str
    is_passed: bool
    points: float
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFigures:
    """One test in numbers."""

    name: str
    title: str
    count: int
    """Students whose work the test was run on."""
    passed: int
    discrimination: float | None = None
    """Corrected point-biserial; None for too few students, or when all did the same."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval of the discrimination."""
    failure: str = ""
    """What failures say most often."""
    failure_count: int = 0

    @property
    def pass_rate(self) -> float:
        """The share of students who pass: the higher, the easier."""
        return self.passed / self.count

    @property
    def flag(self) -> str:
        """Why a person should look at the test, or nothing."""
        if self.passed == self.count:
            return "everybody passes"
        if self.passed == 0:
            return "everybody fails"
        if self.discrimination is None or self.discrimination >= 0:
            return ""
        return "negative: probably a wrong test" if (self.high or 0) < 0 else "negative, maybe by chance"


def item_figures(rows: Sequence[Sequence[Item]]) -> tuple[ItemFigures, ...]:
    """Describe every test of an assignment, in the order in which they first appear.

    Discrimination is the correlation of a test's points with those of all other tests together:
    leaving the test itself out keeps it from correlating with itself (Henrysson, "Correction of
    item-total correlations in item analysis", Psychometrika 28, 1963). Its interval is Fisher's
    ("On the 'probable error' of a coefficient of correlation", Metron 1, 1921).
    """
    names = list(dict.fromkeys(item.name for row in rows for item in row))
    totals = [sum(item.points for item in row) for row in rows]
    by_name = [{item.name: item for item in row} for row in rows]
    figures = []
    for name in names:
        pairs = [
            (items[name], total - items[name].points)
            for items, total in zip(by_name, totals, strict=True)
            if name in items
        ]
        figures.append(_figures([item for item, _ in pairs], [rest for _, rest in pairs]))
    return tuple(figures)


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's correlation; None when one of them is the same throughout."""
    mean_first, mean_second = math.fsum(first) / len(first), math.fsum(second) / len(second)
    deviations = [(a - mean_first, b - mean_second) for a, b in zip(first, second, strict=True)]
    spread_first = math.fsum(a * a for a, _ in deviations)
    spread_second = math.fsum(b * b for _, b in deviations)
    if min(spread_first, spread_second) <= 1e-12 * max(1.0, spread_first, spread_second):
        return None
    shared = math.fsum(a * b for a, b in deviations)
    return max(-1.0, min(1.0, shared / math.sqrt(spread_first * spread_second)))


def interval(value: float, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Where a correlation that was found among `count` pairs may truly be, after Fisher."""
    if abs(value) >= 1 or count <= 3:  # noqa: PLR2004 - the transformation ends there
        return (value, value) if abs(value) >= 1 else (-1.0, 1.0)
    width = NormalDist().inv_cdf((1 + confidence) / 2) / math.sqrt(count - 3)
    return math.tanh(math.atanh(value) - width), math.tanh(math.atanh(value) + width)


def _figures(items: Sequence[Item], rests: Sequence[float]) -> ItemFigures:
    count = len(items)
    value = correlation([item.points for item in items], rests) if count >= LEAST_FOR_DISCRIMINATION else None
    low, high = interval(value, count) if value is not None else (None, None)
    failures = Counter(_first_line(item.message) for item in items if not item.is_passed and item.message)
    failure, failure_count = failures.most_common(1)[0] if failures else ("", 0)
    return ItemFigures(
        name=items[0].name,
        title=items[0].title,
        count=count,
        passed=sum(item.is_passed for item in items),
        discrimination=value,
        low=low,
        high=high,
        failure=failure,
        failure_count=failure_count,
    )


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0][:_MOST_TEXT]
