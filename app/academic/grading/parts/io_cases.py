"""`type: io-cases`: the program gets an input, and what it prints is compared with what is expected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.academic.grading.feedback import clip
from app.academic.grading.limits import Limits
from app.academic.grading.parts.base import VISIBILITIES, PartResult, write_code
from app.academic.grading.parts.python_tests import limits_of, test_files
from app.academic.grading.programs.cases import (
    Case,
    Group,
    Usual,
    pairs_in,
    read_cases,
    read_checker,
    read_program,
)
from app.academic.grading.programs.checkers import Checker
from app.academic.grading.programs.imports import read_foreign
from app.academic.grading.programs.running import run_program
from app.academic.grading.results import TestResult, storable
from app.academic.grading.run_folder import run_folder
from app.academic.grading.sandbox import write_kit

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting, Work
    from app.academic.grading.programs.running import Ended

_FOREIGN = ("init.yml", "autograding.json", ".github/classroom/autograding.json", ".cs50.yaml", ".cs50.yml")
_FOLDERS = ("cases", "tests", ".")
_STATUSES = {"time_limit": "timeout", "accepted": "passed", "wrong_answer": "failed"}


@dataclass(frozen=True, kw_only=True)
class IoCases:
    """A program, its cases, and what a run may use."""

    type: str = "io-cases"
    title: str = "Cases"
    points: float = 100.0
    groups: tuple[Group, ...] = ()
    # Of the assignment's folder: laid beside the program.
    files: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    expected_files: tuple[str, ...] = ("main.py",)
    is_python: bool = True

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""
        runs = sum(len(group.cases) for group in self.groups)
        return f"{len(self.groups)} cases, {runs} runs, {self.limits.cpu:g} s CPU each"

    def grade(self, work: Work) -> PartResult:
        """Run every case in a box of its own."""
        results, cpu_seconds, left = [], 0.0, self.limits.total
        with run_folder() as folder:
            write_kit(folder)
            write_code(folder / "code", work)
            _write_files(folder / "code", work.folder, self.files)
            for number, group in enumerate(self.groups):
                work.tell(number, len(self.groups), f"{number} of {len(self.groups)} cases")
                run = _GroupRun(self, work, folder, group, left)
                results.append(run.result())
                cpu_seconds, left = cpu_seconds + run.cpu_seconds, left - run.seconds
        return PartResult(tests=tuple(results), cpu_seconds=round(cpu_seconds, 3))


def recognises(folder: Path) -> bool:
    """Whether there are pairs of files, or the cases of a system we know; beside tests they are data."""
    if test_files(folder):
        return False
    has_pairs = any(
        one.with_suffix(".out").is_file() for name in _FOLDERS for one in (folder / name).glob("*.in")
    )
    return has_pairs or any((folder / name).is_file() for name in _FOREIGN)


def parse(section: Section, setting: Setting) -> IoCases:
    """Read the part."""
    section.text("type", "")
    visibility = section.choice("visibility", VISIBILITIES)
    files = section.words("files") or ()
    for name in files:
        if not setting.is_inside(name) or not (setting.folder / name).is_file() or "/" in name:
            section.problem("files", f"files that lie in the assignment's folder; {name!r} does not")
    program = replace(read_program(section, "python3 main.py"), files=files)
    usual = Usual(
        folder=setting.folder,
        program=program,
        checker=read_checker(section, Checker()),
        visibility=visibility,
    )
    groups = _groups(section, setting, usual)
    if not groups:
        section.problem(
            "test_cases", "cases: a list, a path with pairs like 1.in and 1.out, or a file to import"
        )
    return IoCases(
        title=section.text("title", "Cases"),
        points=section.number("points", setting.share, above=0),
        groups=groups,
        files=files,
        limits=limits_of(section.section("limits")),
        expected_files=_scripts(groups) or (program.script,),
    )


def _groups(section: Section, setting: Setting, usual: Usual) -> tuple[Group, ...]:
    path = section.words("path")
    name = (section.words("import") or ("",))[0]
    listed = read_cases(section, replace(usual, folder=_inner(setting, path)))
    if listed:
        return listed
    if path is None:
        name = name or next((one for one in _FOREIGN if (setting.folder / one).is_file()), "")
    if name:
        return _imported(section, setting, usual, name)
    for folder in path or _FOLDERS:
        if not setting.is_inside(folder) or not (setting.folder / folder).is_dir():
            if path:
                section.problem("path", f"a folder in the assignment's folder; {folder!r} is none")
        elif found := pairs_in(setting.folder / folder, usual):
            return found
    return ()


def _inner(setting: Setting, path: tuple[str, ...] | None) -> Path:
    return setting.folder / path[0] if path and setting.is_inside(path[0]) else setting.folder


def _imported(section: Section, setting: Setting, usual: Usual, name: str) -> tuple[Group, ...]:
    path = setting.folder / name
    if not setting.is_inside(name) or not path.is_file():
        section.problem("import", f"a file in the assignment's folder; there is no {name!r}")
        return ()
    return read_foreign(section.beside(path), replace(usual, folder=path.parent))


def _scripts(groups: tuple[Group, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.program.script for group in groups for case in group.cases))


def _write_files(code: Path, folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (code / name).write_bytes((folder / name).read_bytes())
        (code / name).chmod(0o644)


class _GroupRun:
    """The runs of one group, to the first that is wrong."""

    def __init__(self, part: IoCases, work: Work, folder: Path, group: Group, left: float) -> None:
        self._part, self._work, self._folder, self._group = part, work, folder, group
        self._left = left
        self.cpu_seconds = self.seconds = 0.0

    def result(self) -> TestResult:
        """Run the group's cases and say what became of them."""
        for number, case in enumerate(self._group.cases, start=1):
            if self._left <= self.seconds:
                most = f"The time for all cases together ({self._part.limits.total:g} seconds) was over."
                return self._told("time_limit", most, "")
            ended = self._run(case)
            verdict, lines = _judge(case, ended)
            if verdict != "accepted":
                place = [f"Run {number} of {len(self._group.cases)}:"] if len(self._group.cases) > 1 else []
                shown = "\n".join([*place, *lines, *_shown(case, ended)])
                return self._told(verdict, shown, _errors_of(ended))
        return self._told("accepted", "", "")

    def _run(self, case: Case) -> Ended:
        limits = self._part.limits
        wall = min(limits.wall, case.wall or limits.wall, max(self._left - self.seconds, 0.1))
        program, given = case.program, case.given
        ended = run_program(self._work.confinement, self._folder, replace(limits, wall=wall), program, given)
        self.cpu_seconds += ended.cpu_seconds
        self.seconds += ended.seconds
        return ended

    def _told(self, verdict: str, message: str, output: str) -> TestResult:
        is_right = verdict == "accepted"
        return TestResult(
            name=self._group.title,
            title=storable(self._group.title),
            status=_STATUSES.get(verdict, "error"),  # type: ignore[arg-type]
            verdict=verdict,
            points=self._group.points if is_right else 0.0,
            max_points=self._group.points,
            message=storable(message),
            output=storable(output),
            visibility=self._group.visibility,
            seconds=round(self.seconds, 4),
        )


def _judge(case: Case, ended: Ended) -> tuple[str, list[str]]:
    if ended.verdict != "accepted":
        return ended.verdict, [ended.message]
    if ended.status and case.status is None:
        return _crash(ended)
    if case.status is not None and ended.status != case.status:
        return "wrong_answer", [f"The exit status is {ended.status}; expected {case.status}."]
    if case.expected is None:
        return "accepted", []
    differs = case.checker.differs(ended.output.decode("utf-8", "backslashreplace"), case.expected)
    return ("accepted", []) if differs is None else ("wrong_answer", [differs])


def _crash(ended: Ended) -> tuple[str, list[str]]:
    last = (ended.errors.decode("utf-8", "backslashreplace").strip().splitlines() or [""])[-1]
    verdict = "memory_limit" if last.startswith("MemoryError") else "runtime_error"
    return verdict, [f"The program ended with exit status {ended.status}. {last[:200]}".strip()]


def _shown(case: Case, ended: Ended) -> list[str]:
    """Return input, output and what was expected, each cut; only a case that is shown shows them."""
    given = case.given.decode("utf-8", "backslashreplace")
    lines = ["", "Input:", clip(given)] if given.strip() else []
    lines += ["", "Your output:", clip(ended.output.decode("utf-8", "backslashreplace")) or "(nothing)"]
    if case.expected is not None:
        lines += ["", "Expected:", clip("\n".join(case.expected)) or "(nothing)"]
    return lines


def _errors_of(ended: Ended) -> str:
    return clip(ended.errors.decode("utf-8", "backslashreplace"), from_end=True)
