"""Keeping what grading came to: one current row per submission."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from app.academic.alarm import note_run
from app.academic.models import Grade, Submission
from app.academic.notification import request_grade_mail
from app.academic.policy import after_penalty, deadline_of, extension_of
from app.academic.rubric_marks import with_marks
from app.academic.submissions import grade_superseded, request_analytics
from app.db import writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.academic.grading.results import GradeReport


def record_grade(
    submission_id: int, report: GradeReport, *, job_id: int, attempt: int, version: int | None = None
) -> bool:
    """Replace the submission's grade and have the course's numbers computed again.

    A job that was overtaken by a later one changes nothing; then this is False.
    """
    with writing() as session:
        submission = session.get_one(Submission, submission_id, with_for_update=True)
        known = session.get(Grade, submission_id)
        if known is not None and (known.job_id or 0, known.attempt or 0) > (job_id, attempt):
            return False
        report = with_marks(session, submission_id, report)
        grade = known or Grade(submission_id=submission_id)
        keep_report(session, submission, grade, report, version=version)
        grade.job_id, grade.attempt = job_id, attempt
        session.add(grade)
        note_run(session, submission, is_error=False)
        submission.superseded_at = None
        if report.outcome == "not_gradable":
            grade_superseded(session, submission)
        request_analytics(session, submission.assignment.course)
        request_grade_mail(session, submission)
    return True


def keep_report(
    session: Session, submission: Submission, grade: Grade, report: GradeReport, *, version: int | None
) -> None:
    """Let the grade be what the report says, less what late work loses."""
    grade.outcome = report.outcome
    grade.verdict = report.verdict
    grade.points = report.points
    grade.raw_score, grade.raw_points = report.raw_score, report.raw_points
    # What cannot be graded is not a zero.
    grade.full_score = report.score if report.outcome == "graded" else None
    grade.version = version
    penalise(session, submission, grade)
    grade.hides = _hides(report)
    grade.report = report.to_json()
    grade.graded_at = dt.datetime.now(dt.UTC)


def penalise(session: Session, submission: Submission, grade: Grade | None) -> None:
    """Say whether work is late, and take off what that loses, by the deadline that this student has now."""
    assignment = submission.assignment
    deadline = deadline_of(assignment, extension_of(session, assignment.id, submission.student_id))
    submission.is_late = deadline.is_late(submission.created_at)
    if grade is None:
        return
    grade.late_percent = deadline.percent_lost(submission.created_at)
    full = grade.full_score
    grade.score = None if full is None else after_penalty(full, grade.late_percent)


def penalised(session: Session, submission: Submission, full: float) -> float:
    """Give what a score is worth after what late work loses."""
    assignment = submission.assignment
    deadline = deadline_of(assignment, extension_of(session, assignment.id, submission.student_id))
    return after_penalty(full, deadline.percent_lost(submission.created_at))


def _hides(report: GradeReport) -> str:
    kept = {test.visibility for test in report.tests} - {"visible"}
    if not kept:
        return "nothing"
    return "until_due" if kept == {"after_due_date"} else "always"
