"""Keeping what grading came to: one current row per submission."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from app.academic.models import Grade, Submission
from app.academic.submissions import request_analytics
from app.db import writing

if TYPE_CHECKING:
    from app.academic.grading.results import GradeReport


def record_grade(submission_id: int, report: GradeReport, *, job_id: int, attempt: int) -> bool:
    """Replace the submission's grade and have the course's numbers computed again.

    A job that was overtaken by a later one changes nothing; then this is False.
    """
    with writing() as session:
        submission = session.get_one(Submission, submission_id, with_for_update=True)
        known = session.get(Grade, submission_id)
        if known is not None and (known.job_id or 0, known.attempt or 0) > (job_id, attempt):
            return False
        grade = known or Grade(submission_id=submission_id)
        grade.outcome = report.outcome
        grade.verdict = report.verdict
        # What cannot be graded is not a zero.
        grade.score = report.score if report.outcome == "graded" else None
        grade.points = report.points
        grade.hides = _hides(report)
        grade.report = report.to_json()
        grade.graded_at = dt.datetime.now(dt.UTC)
        grade.job_id, grade.attempt = job_id, attempt
        session.add(grade)
        request_analytics(session, submission.assignment.course)
    return True


def _hides(report: GradeReport) -> str:
    kept = {test.visibility for test in report.tests} - {"visible"}
    if not kept:
        return "nothing"
    return "until_due" if kept == {"after_due_date"} else "always"
