"""Assignment folders: assignment.yaml, where every key has a default, beside ordinary test files.

A folder with nothing but a pytest or unittest file is an assignment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.academic.grading.errors import AssignmentError
from app.academic.grading.manifest import Manifest, Section
from app.academic.grading.parts import part_types, type_for
from app.academic.grading.parts.base import VISIBILITIES, Setting

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from app.academic.grading.parts.base import Part

MANIFEST = "assignment.yaml"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """What a student hands in: file names, and how large all of them may be together."""

    files: tuple[str, ...] = ("solution.py",)
    max_bytes: int = 200_000

    @property
    def modules(self) -> tuple[str, ...]:
        """The names under which the tests import the files."""
        names = [file.removesuffix(".py").replace("/", ".") for file in self.files if file.endswith(".py")]
        return tuple(name.removesuffix(".__init__") for name in names)


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """How submissions are compared: the kind, files given to everybody, and the level that is flagged."""

    kind: str = "code"
    base: tuple[str, ...] = ()
    flag_at: int = 50


@dataclass(frozen=True, kw_only=True)
class Late:
    """What work that comes late loses: per cent of its score for each hour or day begun, or once."""

    per: str = "day"
    minus_percent: float = 0.0
    grace_minutes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """How often a student may hand in, in all and within some hours, and which attempt counts."""

    max: int | None = None
    window_hours: float | None = None
    window_max: int | None = None
    counts: str = "last"


@dataclass(frozen=True, kw_only=True)
class AssignmentSpec:
    """An assignment as its folder describes it."""

    folder: Path
    title: str
    # Where it belongs, for an import that is not told.
    course: str = ""
    slug: str = ""
    points: float = 100.0
    submit: Submit = field(default_factory=Submit)
    due: datetime | None = None
    late_due: datetime | None = None
    late: Late = field(default_factory=Late)
    attempts: Attempts = field(default_factory=Attempts)
    visibility: str = "visible"
    parts: tuple[Part, ...] = ()
    similarity: Similarity = field(default_factory=Similarity)


def load_assignment(folder: Path) -> AssignmentSpec:
    """Read an assignment folder; AssignmentError names every problem at once."""
    manifest = Manifest(folder / MANIFEST)
    top = manifest.top
    if not folder.is_dir():
        raise AssignmentError([f"{folder} is not a folder"])
    points = top.number("points", 100.0, above=0)
    visibility = top.choice("visibility", VISIBILITIES)
    parts = _parts(top, Setting(folder=folder, share=points, visibility=visibility))
    spec = AssignmentSpec(
        folder=folder,
        title=top.text(
            "title", folder.name.replace("_", " ").replace("-", " ").strip().capitalize() or "Assignment"
        ),
        course=top.text("course", ""),
        slug=_slug(top),
        points=points,
        submit=_submit(top.section("submit"), parts),
        due=top.moment("due"),
        late_due=top.moment("late_due"),
        late=_late(top.section("late")),
        attempts=_attempts(top.section("attempts")),
        visibility=visibility,
        parts=parts,
        similarity=_similarity(top.section("similarity"), parts),
    )
    _check_dates(spec, top)
    _check_groups(top.section("groups"))
    top.finish()
    manifest.raise_problems()
    return spec


def _check_dates(spec: AssignmentSpec, top: Section) -> None:
    if spec.due and spec.late_due and spec.late_due < spec.due:
        top.problem("late_due", "a time after due")


def _check_groups(section: Section) -> None:
    # The key is known so that the reason can be told: a larger number would be a promise.
    if section.integer("max", 1, 1, 100) > 1:
        section.problem("max", "1: each student hands in alone, groups are not offered")
    section.finish()


def _slug(top: Section) -> str:
    slug = top.text("slug", "")
    if slug and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug[:61]):
        top.problem("slug", "at most 60 small letters, digits and single hyphens, like linked-list")
    return slug


def _late(section: Section) -> Late:
    found = Late(
        per=section.choice("per", ("day", "hour", "once")),
        minus_percent=section.share("minus_percent", 0.0, 100),
        grace_minutes=section.share("grace_minutes", 0.0, 7 * 24 * 60),
    )
    section.finish()
    return found


def _attempts(section: Section) -> Attempts:
    window_max = section.count("window_max", 1000)
    window_hours = section.number("window_hours", 24.0, above=0, most=24 * 366)
    if window_max is None and section.has("window_hours"):
        section.problem("window_hours", "window_max beside it: how many attempts in that time")
    found = Attempts(
        max=section.count("max", 1000),
        window_hours=window_hours if window_max else None,
        window_max=window_max,
        counts=section.choice("counts", ("last", "best", "chosen")),
    )
    section.finish()
    return found


def _submit(section: Section, parts: tuple[Part, ...]) -> Submit:
    usual = dict.fromkeys(name for part in parts for name in part.expected_files)
    files = tuple(section.texts("files", tuple(usual)))
    for name in files:
        if not _is_plain_name(name):
            section.problem("files", f"names like solution.py, inside the submission; {name!r} is not one")
    is_python = any(part.is_python for part in parts)
    if is_python and not any(name.endswith(".py") for name in files):
        section.problem("files", "at least one file that ends in .py")
    size = section.integer("max_bytes", 200_000, 1, 2_000_000)
    section.finish()
    return Submit(files=files, max_bytes=size)


def _is_plain_name(name: str) -> bool:
    parts = name.split("/")
    if name.endswith(".py"):
        parts[-1] = parts[-1].removesuffix(".py")
        return all(part.isidentifier() for part in parts)
    return all(part.replace(".", "").replace("-", "").replace("_", "").isalnum() for part in parts)


def _parts(top: Section, setting: Setting) -> tuple[Part, ...]:
    sections = top.sections("parts") or [top.absent("parts[0]")]
    shared = replace(setting, share=setting.share / len(sections))
    found = [_part(section, shared) for section in sections]
    return tuple(part for part in found if part is not None)


def _part(section: Section, setting: Setting) -> Part | None:
    kind = section.text("type", type_for(setting.folder))
    if kind not in part_types():
        section.problem("type", f"one of {', '.join(part_types())}")
        section.ignore_rest()
        return None
    part = part_types()[kind].parse(section, setting)
    section.finish()
    return part


def _similarity(section: Section, parts: tuple[Part, ...]) -> Similarity:
    types = {part.type for part in parts}
    # Right answers to a form are all alike; what a person reads is mostly prose.
    usual = "none" if types == {"answer-key"} else "text" if types == {"rubric"} else "code"
    found = Similarity(
        kind=section.choice("kind", ("code", "text", "none"), usual),
        base=tuple(section.texts("base", ())),
        flag_at=section.integer("flag_at", 50, 0, 100),
    )
    section.finish()
    return found
