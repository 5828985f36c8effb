"""The demo plan: who takes what and hands in which solution, read from data/plan.yaml."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA: Final = Path(__file__).with_name("data")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the demo faculty."""

    key: str
    email: str
    first_name: str
    last_name: str
    role: str


@dataclass(frozen=True, kw_only=True)
class HandIn:
    """One attempt of one student."""

    student: str
    folder: str
    content: bytes
    handed_in_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class PlannedAssignment:
    """An assignment folder and when it is due."""

    folder: str
    due_at: dt.datetime

    @property
    def path(self) -> Path:
        """Where the folder is."""
        return DATA / self.folder / "assignment"


@dataclass(frozen=True, kw_only=True)
class PlannedCourse:
    """A course with its students and assignments."""

    code: str
    title: str
    students: tuple[str, ...]
    assignments: tuple[PlannedAssignment, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All of it, with real moments instead of days."""

    people: tuple[Person, ...]
    courses: tuple[PlannedCourse, ...]
    # In the order in which they were handed in.
    hand_ins: tuple[HandIn, ...]


def read_plan(now: dt.datetime) -> Plan:
    """Read the plan as seen from `now`."""
    raw = yaml.safe_load((DATA / "plan.yaml").read_text("utf-8"))
    hand_ins = [
        hand_in
        for course in raw["courses"]
        for assignment in course["assignments"]
        for work in assignment["work"]
        for hand_in in _attempts(work, assignment["folder"], _due(now, assignment))
    ]
    return Plan(
        people=tuple(_people(raw)),
        courses=tuple(_course(course, now) for course in raw["courses"]),
        hand_ins=tuple(sorted(hand_ins, key=lambda it: it.handed_in_at)),
    )


def _people(raw: dict[str, Any]) -> Iterator[Person]:
    for role, person in raw["staff"].items():
        yield _person(role, person, role)
    for key, person in raw["students"].items():
        yield _person(key, person, "student")


def _person(key: str, person: dict[str, str], role: str) -> Person:
    first, last = person["name"].split(" ", 1)
    email = person.get("email", f"{key}@example.com")
    return Person(key=key, email=email, first_name=first, last_name=last, role=role)


def _course(raw: dict[str, Any], now: dt.datetime) -> PlannedCourse:
    return PlannedCourse(
        code=raw["code"],
        title=raw["title"],
        students=tuple(raw["students"]),
        assignments=tuple(
            PlannedAssignment(folder=it["folder"], due_at=_due(now, it)) for it in raw["assignments"]
        ),
    )


def _due(now: dt.datetime, assignment: dict[str, Any]) -> dt.datetime:
    # The evening before, so that what is handed in that many days before is not ahead of now.
    day = now + dt.timedelta(days=assignment["due_in"] - 1)
    return day.replace(hour=23, minute=59, second=0, microsecond=0)


def _attempts(work: dict[str, Any], folder: str, due_at: dt.datetime) -> Iterator[HandIn]:
    (path,) = (DATA / folder / "solutions").glob(f"{work['solution']}.*")
    source = path.read_text("utf-8")
    draft = work.get("draft")
    if draft:
        if draft["old"] not in source:
            raise ValueError(f"{folder}/{work['solution']}: the draft's text {draft['old']!r} is not in it")
        early = source.replace(draft["old"], draft["new"])
        yield _hand_in(work, folder, early, due_at - dt.timedelta(days=draft["before"]))
    yield _hand_in(work, folder, source, due_at - dt.timedelta(days=work["before"]))


def _hand_in(work: dict[str, Any], folder: str, source: str, at: dt.datetime) -> HandIn:
    return HandIn(student=work["student"], folder=folder, content=source.encode(), handed_in_at=at)
