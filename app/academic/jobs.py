"""The four jobs that follow a submission, and the one that grades it once more.

Each may run more than once (delivery is at least once): what it makes is replaced, never doubled.
What is heavy is imported where it is used, since every job's process imports this module.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NoReturn

from app.academic import activity_log
from app.academic.models import Assignment, Submission
from app.db import db, writing
from app.runner import Abort, Retry, current_job

if TYPE_CHECKING:
    from app.academic.grading.results import GradeReport


class AutomatedGradingJob:
    """Grade a submission with its assignment's tests, the student's code in the sandbox."""

    def handle(self, submission_id: int, even_superseded: bool = False) -> dict[str, object]:  # noqa: FBT001, FBT002 - by position in the job
        """Run the tests and replace the grade; an error of ours is never a zero.

        An attempt that a newer one superseded is left alone unless its turn has come after all.
        """
        from app.academic import alarm, pausing
        from app.academic.grades import record_grade
        from app.academic.grading.errors import (
            AssignmentError,
            AutograderError,
            SandboxUnavailable,
        )

        submission = _submission(submission_id)
        if submission.superseded_at is not None and not even_superseded:
            return {"outcome": "superseded", "score": None, "points": submission.assignment.points}
        if pausing.wait_for_resumption(submission_id, is_forced=even_superseded):
            return {"outcome": "paused"}
        submission = _submission(submission_id)
        current_job.progress(0, 1, "preparing")
        version = submission.assignment.version
        try:
            report = _grade(submission)
        except SandboxUnavailable as error:
            raise Abort(str(error)) from error
        except AssignmentError as error:
            raise Abort(f"the assignment cannot be used: {error}") from error
        except AutograderError as error:
            alarm.note_error(submission_id, str(error))
            raise Retry(str(error)) from error
        is_current = record_grade(
            submission_id, report, job_id=current_job.id, attempt=current_job.attempt, version=version
        )
        _log_grade(submission, report)
        return {"outcome": report.outcome, "score": report.score, "points": report.points, "kept": is_current}


class RegradeSubmissionJob:
    """Grade a submission once more, aside: what comes of it waits for a person."""

    def handle(self, regrade_id: int, submission_id: int) -> dict[str, object]:
        """Keep the result, or in a sentence why there is none; the grade stays as it is."""
        from app.academic.gradebook import regrades
        from app.academic.grading.errors import AssignmentError, AutograderError, SandboxUnavailable

        if not regrades.is_wanted(regrade_id, submission_id):
            return {"kept": False}
        submission = _submission(submission_id)
        version = submission.assignment.version
        try:
            report = _grade(submission)
        except (AssignmentError, SandboxUnavailable) as error:
            regrades.keep_result(regrade_id, submission_id, None, problem=str(error))
            raise Abort(str(error)) from error
        except AutograderError as error:
            regrades.keep_result(regrade_id, submission_id, None, problem=str(error))
            raise Retry(str(error)) from error
        kept = regrades.keep_result(regrade_id, submission_id, report, version=version)
        return {"kept": kept, "outcome": report.outcome, "score": report.score}


class NotifyStudentOfSubmissionJob:
    """Send the student the receipt."""

    def handle(self, submission_id: int) -> dict[str, object]:
        """Queue the mail once and deliver it; delivered mail is not delivered again."""
        from app.academic.notification import queue_receipt
        from app.mail.delivery import deliver_or_leave

        submission = _submission(submission_id)
        current_job.progress(0, 2, "writing the receipt")
        mail_id, status = queue_receipt(submission.id)
        if mail_id is not None:
            current_job.progress(1, 2, "sending")
            status = deliver_or_leave(mail_id)
        current_job.progress(2, 2, status)
        activity_log.write_event(
            activity_log.ASSIGNMENTS,
            "Submission received",
            _facts(submission) | {"receipt": submission.receipt, "mail": status},
        )
        return {"mail": mail_id, "status": status}


class GenerateAnalyticsReportJob:
    """Compute a course's numbers anew."""

    def handle(self, course_title: str) -> dict[str, object]:
        """Replace the course's snapshot."""
        from app.academic.analytics import UnknownCourse, refresh_snapshot

        try:
            made = refresh_snapshot(course_title, on_progress=current_job.progress)
        except UnknownCourse as error:
            raise Abort(str(error)) from error
        facts: dict[str, object] = {
            "course": course_title,
            "average_score": _rounded(made.mean),
            "assignment_count": len(made.assignments),
            "count": made.count,
            "median": _rounded(made.median),
        }
        activity_log.write_event(activity_log.ANALYTICS, "Generated analytics report", facts)
        return facts


class CompareClassJob:
    """Compare everybody's work for an assignment anew, with the counts of the whole class."""

    def handle(self, assignment_id: int) -> dict[str, object]:
        """Replace fingerprints and pairs; verdicts stay."""
        from app.academic.comparison import compare_everybody

        assignment = db.session.get(Assignment, assignment_id)
        if assignment is None:
            raise Abort(f"there is no assignment {assignment_id}: it was deleted")
        if assignment.similarity_kind == "none":
            return {"compared": 0}
        return {"compared": compare_everybody(assignment, on_progress=current_job.progress)}


class CheckForPlagiarismJob:
    """Compare a submission with the other students' work for the same assignment."""

    def handle(self, submission_id: int) -> dict[str, object]:
        """Replace the submission's fingerprints and pairs; a person decides what they mean."""
        from app.academic.comparison import compare_with_others

        submission = _submission(submission_id)
        if submission.assignment.similarity_kind == "none":
            return {"score": 0, "flagged": False, "matches": 0}
        current_job.progress(0, 2, "reading")
        result = compare_with_others(submission, on_progress=current_job.progress)
        _compare_class_later(submission.assignment)
        verdict = "plagiarized" if result.flagged else "clear"
        title = submission.assignment.course.title
        activity_log.write_event(
            activity_log.PLAGIARISM,
            "Checked for plagiarism",
            {
                "assignment": submission.assignment_id,
                "plagiarism_score": result.score,
                "status": f"The {title} assignment was: {verdict} with a score of: {result.score}",
            },
            level="ERROR" if result.flagged else "INFO",
        )
        return {"score": result.score, "flagged": result.flagged, "matches": len(result.matches)}


class CheckAssignmentJob:
    """Grade an assignment's own samples, before students see it."""

    def handle(self, assignment_id: int, version: int) -> dict[str, object]:
        """Keep what came out with the version."""
        from app.academic.checks import run_check

        report = run_check(assignment_id, version)
        return {"warnings": len(report["warnings"]), "samples": len(report["samples"])}


def _grade(submission: Submission) -> GradeReport:
    from app.academic.assignments import materialised
    from app.academic.grading.formats import load_assignment
    from app.academic.grading.grader import grade

    only = submission.assignment.submit_name
    files = {file.submit_as or only: file.content for file in submission.files}
    with materialised(submission.assignment) as folder:
        # Grading takes seconds: no connection, and no open transaction, waits for it meanwhile.
        db.session.commit()
        return grade(load_assignment(folder), files, on_progress=current_job.progress)


def _compare_class_later(assignment: Assignment) -> None:
    """When all is in, everybody is compared with the counts of the whole class."""
    from app.academic.submissions import request_comparison

    assignment_id, due_at = assignment.id, assignment.late_due_at or assignment.due_at
    with writing() as session:
        request_comparison(session, assignment_id, due_at=due_at or dt.datetime.now(dt.UTC))


def _submission(submission_id: int) -> Submission:
    return db.session.get(Submission, submission_id) or _gone(submission_id)


def _gone(submission_id: int) -> NoReturn:
    raise Abort(f"there is no submission {submission_id}: it was deleted")


def _log_grade(submission: Submission, report: GradeReport) -> None:
    is_graded = report.outcome == "graded"
    facts = _facts(submission)
    activity_log.write_event(
        activity_log.ASSIGNMENTS,
        "Assignment graded" if is_graded else "Assignment could not be graded",
        {
            "assignment": facts["assignment"],
            "course": facts["course"],
            "score": report.score if is_graded else None,
            "user": facts["user"],
            "submission": facts["submission"],
            "points": report.points,
            "verdict": report.verdict,
        },
        level="INFO" if is_graded else "ERROR",
    )


def _facts(submission: Submission) -> dict[str, object]:
    return {
        "assignment": submission.assignment_id,
        "course": submission.assignment.course.title,
        "user": submission.student.full_name,
        "submission": submission.id,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
