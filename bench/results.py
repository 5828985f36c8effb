"""What was measured, as plain values: samples by row and measure, and what follows from them."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Row:
    """One system's samples, one list for each measure."""

    name: str
    is_ours: bool = False
    settings: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, measure: str, value: float | None) -> None:
        """Note what one round came to; None where the system has no such thing."""
        if value is not None:
            self.samples.setdefault(measure, []).append(value)

    def median(self, measure: str) -> float | None:
        """Give the middle of the rounds."""
        found = self.samples.get(measure)
        return statistics.median(found) if found else None


@dataclass(kw_only=True)
class Figure:
    """One table: what all of its rows were asked to do."""

    name: str
    title: str
    how: str
    measures: list[str]
    rows: list[Row] = field(default_factory=list)
    # Whether more is better, for ratios.
    is_rate: bool = True
    # What could not be measured, and why.
    notes: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row | None:
        """Find a row by the beginning of its name."""
        return next((each for each in self.rows if each.name.startswith(name)), None)

    def median(self, name: str, measure: str) -> float | None:
        """Give one cell."""
        row = self.row(name)
        return row.median(measure) if row else None

    def ratio(self, ours: str, theirs: str, measure: str) -> float | None:
        """How many times better ours is: the ratio of the medians."""
        mine, other = self.median(ours, measure), self.median(theirs, measure)
        if not mine or not other:
            return None
        return mine / other if self.is_rate else other / mine


@dataclass(kw_only=True)
class Results:
    """One run of the bench."""

    machine: dict[str, str]
    versions: dict[str, str]
    is_quick: bool
    figures: list[Figure] = field(default_factory=list)

    def figure(self, name: str) -> Figure | None:
        """Find a figure."""
        return next((each for each in self.figures if each.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON keeps it."""
        return asdict(self)


def from_json(given: dict[str, Any]) -> Results:
    """Read what `as_json` gave."""
    figures = []
    for each in given["figures"]:
        rows = [Row(**row) for row in each["rows"]]
        figures.append(Figure(**{**each, "rows": rows}))
    return Results(**{**given, "figures": figures})
