"""What every part of an assignment is to the grader, whatever its type."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from app.academic.grading.formats import Submit
    from app.academic.grading.manifest import Section
    from app.academic.grading.results import TestResult
    from app.academic.grading.sandbox import Confinement

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a part is read in: the assignment's folder, and its points when it names none."""

    folder: Path
    share: float
    # Who may see tests for which nothing else is said.
    visibility: str = "visible"

    def is_inside(self, path: str) -> bool:
        """Tell whether a path of the manifest stays in the folder, links followed."""
        if not path or "\0" in path or path.startswith("/") or ".." in path.split("/"):
            return False
        return (self.folder / path).resolve().is_relative_to(self.folder.resolve())


@dataclass(frozen=True, kw_only=True)
class Work:
    """One submission to grade: the files by the names that were asked for, and where it is graded."""

    folder: Path
    submit: Submit
    files: Mapping[str, bytes]
    confine: Callable[[], Confinement]
    tell: Callable[[int, int, str], None] = field(default=lambda _done, _total, _message: None)

    @cached_property
    def confinement(self) -> Confinement:
        """What holds the student's code; SandboxUnavailable when nothing does. Asked for only if needed."""
        return self.confine()

    @property
    def is_confined(self) -> bool:
        """Whether a part asked for the sandbox."""
        return "confinement" in self.__dict__


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """What one part came to. What is wrong with the machinery is raised as AutograderError instead."""

    tests: tuple[TestResult, ...] = ()
    # Why nothing of the program could run, for the student: an import that failed.
    failure: str = ""
    output: str = ""
    cpu_seconds: float = 0.0
    # What was earned from 0 to 1 (or more, with a bonus), where the tests' points do not add up to it.
    fraction: float | None = None
    # A person has yet to judge this part: there is no total before.
    is_waiting: bool = False
    # Why this part cannot be graded at all, for the student; the attempt is not spent.
    not_gradable: str = ""
    # What the reader should know about how it was graded.
    note: str = ""

    @property
    def share(self) -> float:
        """The part of its points that was earned, from 0 to 1."""
        if self.fraction is not None:
            return self.fraction
        most = sum(test.max_points for test in self.tests)
        return sum(test.points for test in self.tests) / most if most else 0.0


class Part(Protocol):
    """A part as it was read from the manifest; frozen."""

    @property
    def type(self) -> str:
        """The type's name in a manifest."""

    @property
    def title(self) -> str:
        """What people read above its results."""

    @property
    def points(self) -> float:
        """What the part counts among the others."""

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""

    @property
    def expected_files(self) -> tuple[str, ...]:
        """The files to hand in when the manifest names none."""

    @property
    def is_python(self) -> bool:
        """Whether a submission without a Python file makes no sense for it."""

    def grade(self, work: Work) -> PartResult:
        """Grade one submission. Never runs the student's code outside of `work.confinement`."""


class PartType(Protocol):
    """What a module of this package offers."""

    def parse(self, section: Section, setting: Setting) -> Part:
        """Read one part; what is wrong is told by `section.problem(key, expected)`.

        Asks the section for every key the type knows (`type` and `title` too) but calls no `finish`.
        """

    def recognises(self, folder: Path) -> bool:
        """Whether a folder without a list of parts is of this type."""


def write_code(folder: Path, work: Work) -> None:
    """Write the files that were asked for into a new folder that the box may read."""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for name in work.submit.files:
        if name in work.files:
            path = folder / name
            for parent in reversed(path.relative_to(folder).parents[:-1]):
                (folder / parent).mkdir(mode=0o755, exist_ok=True)
                (folder / parent).chmod(0o755)
            path.write_bytes(work.files[name])
            path.chmod(0o644)
