"""`type: rubric`: criteria that a person judges. Until then the work waits, and is never a zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.academic.grading.parts.base import VISIBILITIES, PartResult
from app.academic.grading.results import TestResult

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting, Work

_LONGEST_NAME = 80
_LONGEST_ITEM = 300


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something to find in the work, and the points that it gives or takes."""

    points: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What is judged, from nothing to `max`; it starts full where its items take points away."""

    name: str
    max: float = 10.0
    description: str = ""
    items: tuple[Item, ...] = ()
    starts_full: bool = True

    def points_for(self, changes: float) -> float:
        """Return the points after the items and the person's own change, within the criterion's bounds."""
        return min(max((self.max if self.starts_full else 0.0) + changes, 0.0), self.max)


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """The criteria."""

    type: str = "rubric"
    title: str = "Judged by a person"
    points: float = 100.0
    visibility: str = "visible"
    criteria: tuple[Criterion, ...] = ()
    expected_files: tuple[str, ...] = ()
    is_python: bool = False

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""
        return ", ".join(f"{one.name} ({one.max:g})" for one in self.criteria)

    def grade(self, work: Work) -> PartResult:  # noqa: ARG002 - a person reads the files
        """Wait for a person."""
        return PartResult(
            tests=tuple(
                TestResult(
                    name=one.name,
                    title=one.name,
                    status="waiting",
                    verdict="waiting",
                    max_points=one.max,
                    visibility=self.visibility,
                )
                for one in self.criteria
            ),
            is_waiting=True,
        )


def recognises(folder: Path) -> bool:  # noqa: ARG001 - as every type is asked
    """A rubric has to be written: no file says by itself that it is one."""
    return False


def parse(section: Section, setting: Setting) -> Rubric:
    """Read the part."""
    section.text("type", "")
    criteria = tuple(_criterion(one) for one in section.sections("criteria"))
    if not criteria:
        section.problem("criteria", "at least one criterion, like {name: Style, max: 10}")
    names = [one.name for one in criteria]
    if len(set(names)) < len(names):
        section.problem("criteria", "a name of its own for each criterion")
    return Rubric(
        title=section.text("title", "Judged by a person"),
        points=section.number("points", setting.share, above=0),
        visibility=section.choice("visibility", VISIBILITIES),
        criteria=criteria,
    )


def _criterion(section: Section) -> Criterion:
    items = _items(section)
    name = section.text("name", "")[:_LONGEST_NAME]
    if not name:
        section.problem("name", "what is judged, in a word or two")
    gives = any(item.points > 0 for item in items) and not any(item.points < 0 for item in items)
    start = section.choice("start", ("zero", "full") if gives else ("full", "zero"))
    found = Criterion(
        name=name,
        max=section.number("max", 10.0, above=0),
        description="\n".join(section.words("description") or ()),
        items=items,
        starts_full=start == "full",
    )
    section.finish()
    return found


def _items(section: Section) -> tuple[Item, ...]:
    pairs = section.pairs("items")
    items = []
    for points, text in pairs:
        try:
            items.append(Item(points=float(points), text=text[:_LONGEST_ITEM]))
        except ValueError:
            section.problem("items", f"points and a text like [-3, no docstrings]; {points!r} is no number")
    return tuple(items)
