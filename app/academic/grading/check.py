"""Trying an assignment before students do: its sample solution should get everything, its stub should not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.academic.grading.formats import AssignmentSpec, load_assignment
from app.academic.grading.grader import grade

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.results import GradeReport

SOLUTION, STUB = "solution", "stub"


@dataclass(frozen=True, kw_only=True)
class AssignmentCheck:
    """The reports of the samples a folder has, and what an instructor should look at."""

    spec: AssignmentSpec
    solution: GradeReport | None = None
    stub: GradeReport | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing needs a second look."""
        return not self.warnings


def check_assignment(folder: Path) -> AssignmentCheck:
    """Load an assignment and grade solution/ and stub/ where the folder has them."""
    spec = load_assignment(folder)
    check = AssignmentCheck(
        spec=spec, solution=_grade_sample(spec, folder / SOLUTION), stub=_grade_sample(spec, folder / STUB)
    )
    return replace(check, warnings=(*_about_solution(check.solution), *_about_stub(check.stub)))


def _grade_sample(spec: AssignmentSpec, folder: Path) -> GradeReport | None:
    if not folder.is_dir():
        return None
    present = [name for name in spec.submit.files if (folder / name).is_file()]
    return grade(spec, {name: (folder / name).read_bytes() for name in present})


def _about_solution(report: GradeReport | None) -> list[str]:
    if report is None:
        return []
    if report.outcome == "not_gradable":
        return [f"{SOLUTION}/ cannot be graded: {report.feedback}"]
    # What a person judges says nothing about the tests.
    failed = [test for test in report.tests if not test.is_passed and test.status != "waiting"]
    warnings = [f"{SOLUTION}/ does not pass {test.name}: {test.message}" for test in failed]
    if not failed and report.outcome == "graded" and report.score < report.points:
        warnings.append(f"{SOLUTION}/ gets {report.score:g} of {report.points:g} points")
    return warnings


def _about_stub(report: GradeReport | None) -> list[str]:
    if report is not None and report.outcome == "graded" and report.score >= report.points:
        return [f"{STUB}/ gets all {report.points:g} points: the tests ask for nothing"]
    return []
