"""Assignment folders: assignment.yaml, where every key has a default, beside ordinary test files.

A folder with nothing but a pytest or unittest file is an assignment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.academic.grading.errors import AssignmentError
from app.academic.grading.manifest import Manifest, Section
from app.academic.grading.parts import part_types, type_for
from app.academic.grading.parts.base import Setting

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
class AssignmentSpec:
    """An assignment as its folder describes it."""

    folder: Path
    title: str
    points: float = 100.0
    submit: Submit = field(default_factory=Submit)
    due: datetime | None = None
    late_due: datetime | None = None
    parts: tuple[Part, ...] = ()
    similarity: Similarity = field(default_factory=Similarity)


def load_assignment(folder: Path) -> AssignmentSpec:
    """Read an assignment folder; AssignmentError names every problem at once."""
    manifest = Manifest(folder / MANIFEST)
    top = manifest.top
    if not folder.is_dir():
        raise AssignmentError([f"{folder} is not a folder"])
    points = top.number("points", 100.0, above=0)
    parts = _parts(top, folder, points)
    spec = AssignmentSpec(
        folder=folder,
        title=top.text(
            "title", folder.name.replace("_", " ").replace("-", " ").strip().capitalize() or "Assignment"
        ),
        points=points,
        submit=_submit(top.section("submit"), parts),
        due=top.moment("due"),
        late_due=top.moment("late_due"),
        parts=parts,
        similarity=_similarity(top.section("similarity")),
    )
    _check_dates(spec, top)
    top.finish()
    manifest.raise_problems()
    return spec


def _check_dates(spec: AssignmentSpec, top: Section) -> None:
    if spec.due and spec.late_due and spec.late_due < spec.due:
        top.problem("late_due", "a time after due")


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


def _parts(top: Section, folder: Path, points: float) -> tuple[Part, ...]:
    sections = top.sections("parts")
    if not sections:
        sections = [top.absent("parts[0]")]
    setting = Setting(folder=folder, share=points / len(sections))
    found = [_part(section, setting) for section in sections]
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


def _similarity(section: Section) -> Similarity:
    found = Similarity(
        kind=section.choice("kind", ("code", "text", "none")),
        base=tuple(section.texts("base", ())),
        flag_at=section.integer("flag_at", 50, 0, 100),
    )
    section.finish()
    return found
