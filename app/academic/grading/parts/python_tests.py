"""`type: python-tests`: ordinary pytest and unittest files, run against the student's modules."""

from __future__ import annotations

import ast
import fnmatch
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.academic.grading.errors import AutograderError
from app.academic.grading.limits import Limits
from app.academic.grading.parts.base import VISIBILITIES, PartResult, write_code
from app.academic.grading.results import TestResult, storable
from app.academic.grading.run_folder import run_folder
from app.academic.grading.sandbox import write_kit
from app.academic.grading.supervisor import library_paths, run_tests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting, Work
    from app.academic.grading.supervisor import Run

_KEPT_APART = frozenset({"solution", "stub", "__pycache__"})
_OF_TESTS = frozenset({"pytest", "gradescope_utils", "hypothesis", "numpy"})
_LOG_SHOWN = 3000
MODES = ("isolated", "same-process")
BESIDE = "the tests run beside the student's code: this detects accidents, not cheating"


@dataclass(frozen=True, kw_only=True)
class PythonTests:
    """Test files, what they are worth together, and what a submission may use while they run."""

    type: str = "python-tests"
    title: str = "Tests"
    path: str = "."
    files: tuple[Path, ...] = ()
    points: float = 100.0
    visibility: str = "visible"
    limits: Limits = field(default_factory=Limits)
    tests: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    mode: str = "isolated"
    expected_files: tuple[str, ...] = ("solution.py",)
    is_python: bool = True

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""
        names = ", ".join(file.name for file in self.files)
        weaker = f"; {BESIDE}" if self.mode != "isolated" else ""
        return f"{names}, {self.limits.cpu:g} s CPU per test{weaker}"

    def grade(self, work: Work) -> PartResult:
        """Run the tests against the student's files, in the sandbox."""
        run = _run(self, work)
        _check_run(run)
        end = run.end or {}
        failure = next((str(one["student"]) for one in run.uncollected), "")
        return PartResult(
            tests=_results(self, run),
            failure=storable(failure or str(end.get("import_failure") or "")),
            output=storable(str(end.get("output", ""))),
            cpu_seconds=float(end.get("cpu", 0.0)),
            note="" if self.mode == "isolated" else f"{BESIDE[0].upper()}{BESIDE[1:]}.",
        )


def recognises(folder: Path) -> bool:
    """Whether there are test files."""
    return bool(test_files(folder))


def parse(section: Section, setting: Setting) -> PythonTests:
    """Read the part; a folder named tests is where tests usually are."""
    section.text("type", "")
    path = section.text("path", "tests" if (setting.folder / "tests").is_dir() else ".")
    files: tuple[Path, ...] = ()
    if not setting.is_inside(path):
        section.problem("path", "a path inside the assignment's folder")
    elif not (files := test_files(setting.folder / path)):
        section.problem(
            "path", f"a test file, or a folder with a test file (test_*.py or *_test.py); {path!r} has none"
        )
    return PythonTests(
        title=section.text("title", "Tests"),
        path=path,
        files=files,
        points=section.number("points", setting.share, above=0),
        visibility=section.choice("visibility", VISIBILITIES, setting.visibility),
        limits=limits_of(section.section("limits")),
        tests=MappingProxyType(section.numbers("tests")),
        mode=section.choice("mode", MODES, MODES[0]),
        expected_files=imported_files(files),
    )


def limits_of(section: Section) -> Limits:
    """Read what a submission may use, for every type that runs code."""
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


def test_files(path: Path) -> tuple[Path, ...]:
    """Return the test files of a folder, or the file itself; samples are not tests."""
    if path.is_file():
        return (path,) if path.suffix == ".py" else ()
    found = {*path.rglob("test_*.py"), *path.rglob("*_test.py")}
    return tuple(sorted(file for file in found if not _KEPT_APART & set(file.relative_to(path).parts[:-1])))


def imported_files(tests: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the files the tests import and the folder does not have: those are the student's."""
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


def _run(part: PythonTests, work: Work) -> Run:
    with run_folder() as folder:
        write_kit(folder)
        write_code(folder / "code", work)
        config = {
            "run": str(folder),
            "limits": asdict(part.limits),
            "confinement": _confinement(part, work),
            "mode": part.mode,
            "sources": _sources(work),
            "tests": [str(file.resolve()) for file in part.files],
            "folder": str(_tests_folder(work.folder / part.path).resolve()),
        }

        def progress(run: Run) -> None:
            # Without the test's name: whoever may see the progress may not see hidden tests.
            work.tell(len(run.tests), len(run.collected), f"{len(run.tests)} of {len(run.collected)} tests")

        return run_tests(config, part.limits.total, progress)


def _confinement(part: PythonTests, work: Work) -> dict[str, Any]:
    libraries = () if part.mode == "isolated" else tuple(library_paths())
    return replace(work.confinement, libraries=libraries).to_dict()


def _tests_folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _sources(work: Work) -> dict[str, str]:
    names = [name for name in work.submit.files if name.endswith(".py")]
    named = zip(work.submit.modules, names, strict=True)
    return {module: work.files[name].decode("utf-8-sig") for module, name in named if name in work.files}


def _check_run(run: Run) -> None:
    """Tell a broken autograder from a broken submission: only the tests' process decides which."""
    for failed in run.uncollected:
        if failed["student"] is None:
            raise AutograderError(f"the tests in {failed['uncollected']} cannot be loaded:\n{failed['text']}")
    if run.end is None and not run.is_out_of_time:
        log = run.log.decode("utf-8", "replace")[-_LOG_SHOWN:]
        raise AutograderError(f"the tests ended before they were done:\n{log}")
    if run.is_out_of_time and not run.collected:
        raise AutograderError("the tests could not be loaded in time")
    if not run.collected and not run.uncollected:
        raise AutograderError("the assignment's test files contain no tests")
    broken = [test for test in run.tests.values() if test.get("verdict") == "autograder"]
    if broken:
        raise AutograderError(str(broken[0]["message"]))


def _results(part: PythonTests, run: Run) -> tuple[TestResult, ...]:
    is_pointed = any(_own_points(part, one) is not None for one in run.collected)
    results = []
    for one in run.collected:
        worth = _own_points(part, one)
        most = worth if worth is not None else (0.0 if is_pointed else 1.0)
        results.append(_result(part, one, most, run))
    return tuple(results)


def _own_points(part: PythonTests, one: Mapping[str, Any]) -> float | None:
    if one["points"] is not None:
        return float(one["points"])
    name = str(one["id"])
    if name in part.tests:
        return part.tests[name]
    # The first pattern that fits: a file, a class, or anything with stars.
    return next((worth for pattern, worth in part.tests.items() if _fits(name, pattern)), None)


def _fits(name: str, pattern: str) -> bool:
    is_above = name.startswith((f"{pattern}::", f"{pattern}["))
    return is_above or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _result(part: PythonTests, one: Mapping[str, Any], most: float, run: Run) -> TestResult:
    told = run.tests.get(one["id"]) or _not_run(part, run)
    if told["status"] == "skipped" and told["verdict"] == "accepted":
        most = 0.0
    earned = most if told["status"] == "passed" else 0.0
    score = told.get("score")
    if told["status"] == "passed" and isinstance(score, (int, float)):
        earned = min(max(float(score), 0.0), most)
    return TestResult(
        name=one["id"],
        title=_title(one),
        status=told["status"],
        verdict=told["verdict"],
        points=earned,
        max_points=most,
        message=storable(told["message"]),
        output=storable(told["output"]),
        visibility=one["visibility"] or part.visibility,
        seconds=round(told.get("seconds", 0.0), 4),
    )


def _title(one: Mapping[str, Any]) -> str:
    number = str(one.get("number") or "")
    return f"{number}. {one['title']}" if number else str(one["title"])


def _not_run(part: PythonTests, run: Run) -> dict[str, Any]:
    if run.is_out_of_time:
        seconds = f"{part.limits.total:g} seconds"
        message = f"The time for all tests together ({seconds}) was over before this test ended."
        return {"status": "timeout", "verdict": "time_limit", "message": message, "output": ""}
    message = str(run.uncollected[0]["student"]) if run.uncollected else "This test did not run."
    return {"status": "error", "verdict": "runtime_error", "message": message, "output": ""}
