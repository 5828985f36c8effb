"""What people marked, folded into a report: a total where nothing waits any more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.academic.grading.results import storable
from app.academic.rubric_models import RubricMark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.grading.results import GradeReport, TestResult


def with_marks(session: Session, submission_id: int, report: GradeReport) -> GradeReport:
    """Return a fresh report with what people marked in the submission before."""
    return fold(report, marks_of(session, submission_id)) if report.outcome == "waiting" else report


def marks_of(session: Session, submission_id: int) -> Sequence[RubricMark]:
    """Return what people marked in a submission."""
    return session.scalars(select(RubricMark).where(RubricMark.submission_id == submission_id)).all()


def fold(report: GradeReport, marks: Sequence[RubricMark]) -> GradeReport:
    """Return the report with what people marked, and with its total if nothing waits any more."""
    known = {(mark.part, mark.criterion): mark for mark in marks}
    by_hand = {number for number, part in enumerate(report.parts) if part.type == "rubric"}
    tests = tuple(
        _marked(test, known.get((test.part, test.name))) if test.part in by_hand else test
        for test in report.tests
    )
    if not by_hand or report.outcome == "not_gradable":
        return report
    waiting = {test.part for test in tests if test.status == "waiting"}
    parts = tuple(
        replace(part, is_waiting=number in waiting, earned=_earned(tests, number, part.points))
        if number in by_hand
        else part
        for number, part in enumerate(report.parts)
    )
    share = sum(part.earned for part in parts) / sum(part.points for part in parts)
    bad = next((test.verdict for test in tests if not test.is_passed and test.max_points), "accepted")
    return replace(
        report,
        outcome="waiting" if waiting else "graded",
        verdict=bad,
        score=0.0 if waiting else round(report.points * share, 2),
        raw_score=sum(test.points for test in tests),
        raw_points=sum(test.max_points for test in tests),
        tests=tests,
        parts=parts,
    )


def _earned(tests: Sequence[TestResult], number: int, points: float) -> float:
    mine = [test for test in tests if test.part == number]
    most = sum(test.max_points for test in mine)
    return round(points * sum(test.points for test in mine) / most, 4) if most else 0.0


def _marked(test: TestResult, mark: RubricMark | None) -> TestResult:
    if mark is None:
        return replace(test, status="waiting", verdict="waiting", points=0.0, message="")
    lines = [f"{points:+g}  {text}" if points else text for points, text in json.loads(mark.items)]
    lines += [f"{mark.change:+g}"] if mark.change else []
    lines += [mark.comment] if mark.comment else []
    points = min(mark.points, test.max_points)
    is_full = points >= test.max_points
    return replace(
        test,
        status="passed" if is_full else "failed",
        verdict="judged" if is_full else "points_taken",
        points=points,
        message=storable("\n".join(lines)),
    )
