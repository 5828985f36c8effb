"""`type: gradescope`: an autograder made for Gradescope, its folder or zip unchanged.

It runs beside the student's code in one program, which detects accidents and not cheating, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.academic.archives import IMPORT, read_zip
from app.academic.grading.errors import AutograderError
from app.academic.grading.gradescope.container import Finished, run_autograder
from app.academic.grading.gradescope.demands import demands_of, describe
from app.academic.grading.gradescope.markup import markup_of, plain_of
from app.academic.grading.gradescope.readings import BadResults, Reading, Results, read_results
from app.academic.grading.limits import Limits
from app.academic.grading.parts.base import PartResult
from app.academic.grading.parts.python_tests import imported_files, limits_of, test_files
from app.academic.grading.results import TestResult, storable
from app.academic.grading.run_folder import run_folder
from app.academic.uploads import UploadRejected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from app.academic.grading.manifest import Section
    from app.academic.grading.parts.base import Setting, Work

PROGRAM = "run_autograder"
_PLACES = ("autograder", "autograder.zip", "source", ".")
_KEPT_APART = frozenset({"solution", "stub", "__pycache__", ".git"})
_TAIL = 3000
NOTE = "The autograder ran beside the submission's code: that detects accidents, not cheating."
NO_WALLS = (
    "Not graded: this assignment's autograder runs only inside bubblewrap, which does not work on this "
    "machine. Your instructor can ask the administrator for it."
)


@dataclass(frozen=True, kw_only=True)
class Gradescope:
    """The autograder's files and what its score is out of."""

    type: str = "gradescope"
    title: str = "Autograder"
    points: float = 100.0
    source: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    # None: the sum of the tests' maxima, or the part's points where they name none.
    out_of: float | None = None
    limits: Limits = field(default_factory=Limits)
    expected_files: tuple[str, ...] = ("solution.py",)
    is_python: bool = False

    @property
    def demands(self) -> str:
        """What setup.sh would install; it is not run."""
        return describe(demands_of(self.source.get("setup.sh", b"").decode("utf-8", "replace")))

    @property
    def summary(self) -> str:
        """One line for the instructor: what it grades with."""
        wanted = f"; setup.sh is not run, it asks for {self.demands}" if self.demands else ""
        return f"{len(self.source)} files, {self.limits.total:g} s at most{wanted}"

    def grade(self, work: Work) -> PartResult:
        """Run the autograder and read its results."""
        if work.confinement.tier != "bubblewrap":
            return PartResult(not_gradable=NO_WALLS)
        with run_folder() as run:
            ended = run_autograder(work.confinement, run, self.limits, work.files, self.source)
        if ended.results is None and ended.problem:
            return _stopped(self, ended)
        return _result(self, _read(ended), ended.output)


def recognises(folder: Path) -> bool:
    """Whether the program that Gradescope starts is there."""
    return any((folder / place / PROGRAM).is_file() for place in _PLACES if not place.endswith(".zip"))


def parse(section: Section, setting: Setting) -> Gradescope:
    """Read the part."""
    section.text("type", "")
    places = [place for place in _PLACES if _is_autograder(setting.folder / place)]
    path = section.text("path", places[0] if places else "autograder")
    source: dict[str, bytes] = {}
    if not setting.is_inside(path):
        section.problem("path", "a path inside the assignment's folder")
    else:
        source = _read_source(section, setting.folder / path)
        if PROGRAM not in source:
            section.problem("path", f"a folder or zip with {PROGRAM} at its top; {path!r} has none")
    return Gradescope(
        title=section.text("title", "Autograder"),
        points=section.number("points", setting.share, above=0),
        source=source,
        out_of=section.number("out_of", 0, above=-1) or None,
        limits=limits_of(section.section("limits")),
        expected_files=imported_files(test_files(setting.folder / path)),
    )


def _is_autograder(path: Path) -> bool:
    return path.is_file() or (path / PROGRAM).is_file()


def _read_source(section: Section, path: Path) -> dict[str, bytes]:
    if path.is_file():
        try:
            return read_zip(path.read_bytes(), IMPORT)
        except UploadRejected as error:
            section.problem("path", f"a zip archive that can be unpacked; {error}")
            return {}
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and not file.is_symlink() and not _KEPT_APART & set(file.relative_to(path).parts)
    }


def _read(ended: Finished) -> Results:
    tail = ended.output[-_TAIL:]
    if ended.results is None:
        raise AutograderError(f"the autograder wrote no results.json (exit status {ended.status}):\n{tail}")
    try:
        return read_results(ended.results)
    except BadResults as error:
        raise AutograderError(f"the autograder's {error}\n{tail}") from error


def _stopped(part: Gradescope, ended: Finished) -> PartResult:
    # A loop in the student's code is what stops an autograder, so it counts as the student's.
    stopped = TestResult(
        name="autograder",
        title=part.title,
        status="timeout" if ended.verdict == "time_limit" else "error",
        verdict=ended.verdict,
        max_points=part.out_of or part.points,
        message=f"The autograder was ended: {ended.problem}. Most often that is a loop without an end.",
    )
    return PartResult(tests=(stopped,), note=NOTE)


def _result(part: Gradescope, results: Results, printed: str) -> PartResult:
    most = part.out_of or results.maximum or part.points
    tests = tuple(_test(number, one) for number, one in enumerate(results.tests, start=1))
    return PartResult(
        tests=(*_of_all(results, most, has_tests=bool(tests)), *tests),
        fraction=max(results.total, 0.0) / most,
        # It is the autograder's own output, so students see it only where the file says so.
        output=storable(printed) if results.is_stdout_shown else "",
        note=NOTE,
    )


def _of_all(results: Results, most: float, *, has_tests: bool) -> tuple[TestResult, ...]:
    """Return what the file says of everything: its score where there are no tests, and its words."""
    if has_tests and not results.output:
        return ()
    is_full = has_tests or results.total >= most
    return (
        TestResult(
            name="autograder",
            title="All together" if has_tests else "Autograder",
            status="passed" if is_full else "failed",
            verdict="accepted" if is_full else "wrong_answer",
            points=0.0 if has_tests else results.total,
            max_points=0.0 if has_tests else most,
            message=storable(plain_of(results.output, results.output_format)),
            markup=storable(markup_of(results.output, results.output_format)),
            visibility=results.visibility,
        ),
    )


def _test(number: int, one: Reading) -> TestResult:
    is_passed = one.status != "failed"
    said = storable(plain_of(one.output, one.output_format))
    title = plain_of(one.name, one.name_format) or f"Test {number}"
    return TestResult(
        name=one.name or f"test {number}",
        title=storable(f"{one.number}) {title}" if one.number else title),
        status="passed" if is_passed else "failed",
        verdict="accepted" if is_passed else "wrong_answer",
        points=one.score or 0.0,
        max_points=one.max_score or 0.0,
        # What a test that passed says is shown too, on demand.
        message="" if is_passed else said,
        output=said if is_passed else "",
        markup=storable(markup_of(one.output, one.output_format)),
        visibility=one.visibility,
    )
