"""Grading of one submission: every part of the assignment, and what they come to together."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from app.academic.grading.errors import AutograderError
from app.academic.grading.feedback import write_feedback
from app.academic.grading.parts.base import Work
from app.academic.grading.precheck import find_fault
from app.academic.grading.results import GradeReport, PartScore, storable
from app.academic.grading.selftest import choose_confinement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.academic.grading.formats import AssignmentSpec
    from app.academic.grading.parts.base import Part, PartResult
    from app.academic.grading.results import TestResult

_OUTPUT_LIMIT = 64 << 10


def grade(
    spec: AssignmentSpec,
    files: Mapping[str, bytes],
    *,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> GradeReport:
    """Grade a submission.

    AutograderError means that grading itself failed and may be tried again; SandboxUnavailable, that it never
    will on this machine. Whatever the student's code does is a grade.
    """
    if (fault := find_fault(spec, files)) is not None:
        return _not_gradable(spec, fault)
    started = time.monotonic()
    work = Work(
        folder=spec.folder,
        submit=spec.submit,
        files=files,
        # Looked up when it is needed: whoever tries one tier puts another function in its place.
        confine=lambda: choose_confinement(),  # noqa: PLW0108
        tell=on_progress or (lambda _done, _total, _message: None),
    )
    try:
        graded = [(part, part.grade(work)) for part in spec.parts]
    except OSError as error:
        raise AutograderError(f"grading could not use this machine: {error}") from error
    if fault := next((result.not_gradable for _, result in graded if result.not_gradable), ""):
        return _not_gradable(spec, fault)
    return replace(_report(spec, graded, work), seconds=round(time.monotonic() - started, 3))


def _not_gradable(spec: AssignmentSpec, fault: str) -> GradeReport:
    return GradeReport(outcome="not_gradable", verdict="not_gradable", points=spec.points, feedback=fault)


def _report(spec: AssignmentSpec, graded: list[tuple[Part, PartResult]], work: Work) -> GradeReport:
    tests = tuple(_numbered(graded))
    bad = next((test.verdict for test in tests if not test.is_passed and test.max_points), None)
    is_waiting = any(result.is_waiting for _, result in graded)
    report = GradeReport(
        outcome="waiting" if is_waiting else "graded",
        verdict="runtime_error" if not tests and not is_waiting else bad or "accepted",
        points=spec.points,
        score=0.0 if is_waiting else round(spec.points * _share(graded), 2),
        raw_score=sum(test.points for test in tests),
        raw_points=sum(test.max_points for test in tests),
        tests=tests,
        parts=tuple(_score(part, result) for part, result in graded),
        output=storable("".join(result.output for _, result in graded)[:_OUTPUT_LIMIT]),
        sandbox=work.confinement.tier if work.is_confined else "",
        cpu_seconds=round(sum(result.cpu_seconds for _, result in graded), 3),
    )
    return write_feedback(report, next((result.failure for _, result in graded if result.failure), ""))


def _numbered(graded: list[tuple[Part, PartResult]]) -> list[TestResult]:
    return [replace(test, part=number) for number, (_, result) in enumerate(graded) for test in result.tests]


def _share(graded: list[tuple[Part, PartResult]]) -> float:
    earned = sum(part.points * result.share for part, result in graded)
    return earned / sum(part.points for part, _ in graded)


def _score(part: Part, result: PartResult) -> PartScore:
    return PartScore(
        type=part.type,
        title=part.title,
        points=part.points,
        earned=round(part.points * result.share, 4),
        is_waiting=result.is_waiting,
        note=result.note,
    )
