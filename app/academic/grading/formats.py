"""Assignment folders: assignment.yaml, where every key has a default, beside ordinary test files.

A folder with nothing but a pytest or unittest file is an assignment.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.academic.grading.errors import AssignmentError
from app.academic.grading.limits import Limits
from app.academic.grading.manifest import Manifest, Section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

MANIFEST = "assignment.yaml"
VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")
_KEPT_APART = frozenset({"solution", "stub", "__pycache__"})
_OF_TESTS = frozenset({"pytest", "gradescope_utils", "hypothesis", "numpy"})


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
class Part:
    """Test files, what they are worth together, and what a submission may use while they run."""

    type: str = "python-tests"
    path: str = "."
    files: tuple[Path, ...] = ()
    points: float = 100.0
    visibility: str = "visible"
    limits: Limits = field(default_factory=Limits)
    tests: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


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
    spec = AssignmentSpec(
        folder=folder,
        title=top.text(
            "title", folder.name.replace("_", " ").replace("-", " ").strip().capitalize() or "Assignment"
        ),
        points=points,
        submit=_submit(top.section("submit"), folder),
        due=top.moment("due"),
        late_due=top.moment("late_due"),
        parts=_parts(top, folder, points),
        similarity=_similarity(top.section("similarity")),
    )
    _check_dates(spec, top)
    top.finish()
    manifest.raise_problems()
    return spec


def _check_dates(spec: AssignmentSpec, top: Section) -> None:
    if spec.due and spec.late_due and spec.late_due < spec.due:
        top.problem("late_due", "a time after due")


def _submit(section: Section, folder: Path) -> Submit:
    files = tuple(section.texts("files", _imported_files(folder)))
    for name in files:
        if not _is_plain_name(name):
            section.problem("files", f"names like solution.py, inside the submission; {name!r} is not one")
    if not any(name.endswith(".py") for name in files):
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
        return (_default_part(top, folder, points),)
    share = points / len(sections)
    return tuple(_part(section, folder, share) for section in sections)


def _default_part(top: Section, folder: Path, points: float) -> Part:
    path = "tests" if (folder / "tests").is_dir() else "."
    files = _test_files(folder / path)
    if not files:
        top.problem(
            "parts", f"a test file (test_*.py or *_test.py) in {folder.name}/ or {folder.name}/tests/"
        )
    return Part(path=path, files=files, points=points)


def _part(section: Section, folder: Path, share: float) -> Part:
    kind = section.text("type", "python-tests")
    if kind != "python-tests":
        section.problem("type", f"python-tests, the only type this version grades; {kind!r} is not supported")
        section.ignore_rest()
        return Part()
    path = section.text("path", "tests" if (folder / "tests").is_dir() else ".")
    files: tuple[Path, ...] = ()
    if path.startswith("/") or ".." in path.split("/"):
        section.problem("path", "a path inside the assignment's folder")
    elif not (files := _test_files(folder / path)):
        section.problem("path", f"a test file, or a folder with test_*.py or *_test.py; {path!r} has none")
    part = Part(
        path=path,
        files=files,
        points=section.number("points", share, above=0),
        visibility=section.choice("visibility", VISIBILITIES),
        limits=_limits(section.section("limits")),
        tests=MappingProxyType(section.numbers("tests")),
    )
    section.finish()
    return part


def _limits(section: Section) -> Limits:
    defaults = Limits()
    given: dict[str, Any] = {}
    for one in fields(Limits):
        usual = getattr(defaults, one.name)
        if isinstance(usual, float):
            given[one.name] = section.number(one.name, usual, above=0, most=3600)
        else:
            given[one.name] = section.integer(one.name, usual, 1, 65_536)
    section.finish()
    return Limits(**given)


def _similarity(section: Section) -> Similarity:
    found = Similarity(
        kind=section.choice("kind", ("code", "text", "none")),
        base=tuple(section.texts("base", ())),
        flag_at=section.integer("flag_at", 50, 0, 100),
    )
    section.finish()
    return found


def _test_files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,) if path.suffix == ".py" else ()
    found = {*path.rglob("test_*.py"), *path.rglob("*_test.py")}
    return tuple(sorted(file for file in found if not _KEPT_APART & set(file.relative_to(path).parts[:-1])))


def _imported_files(folder: Path) -> tuple[str, ...]:
    """Return the files the tests import and the folder does not have: those are the student's."""
    tests = _test_files(folder / "tests" if (folder / "tests").is_dir() else folder)
    own = (
        {file.stem for test in tests for file in test.parent.glob("*.py")}
        | _OF_TESTS
        | sys.stdlib_module_names
    )
    own -= {"solution"}
    names = dict.fromkeys(name for test in tests for name in _imports(test) if name not in own)
    return tuple(f"{name}.py" for name in names) or ("solution.py",)


def _imports(test: Path) -> list[str]:
    try:
        tree = ast.parse(test.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module.partition(".")[0])
    return names
