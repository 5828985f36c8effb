"""Words of mails about submissions: what happened, how many attempts are left, which list it is of."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app

from app.academic.policy import budget_of, deadline_of, extension_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.academic.gradebook.models import GradeOverride
    from app.academic.models import Course, Submission
    from app.academic.policy import Budget, Deadline
    from app.academic.results import ShownResult


def list_id(course: Course) -> str:
    """Give the name by which mail programs sort a course's mails."""
    host = urlsplit(current_app.config["SITE_URL"]).hostname or "localhost"
    letters = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in course.code.lower())
    return f"<{'-'.join(part for part in letters.split('-') if part) or 'course'}.{host}>"


def said_of(result: ShownResult) -> str:
    """Say what grading came to in a few words, as the student may know it."""
    if not result.is_graded:
        return "could not be graded"
    if result.is_hidden or result.score is None:
        return "graded, the total is shown later"
    return f"{_number(result.score)} of {_number(result.points)}"


def context_of(session: Session, submission: Submission) -> dict[str, object]:
    """Give what every template about a submission needs."""
    assignment, now = submission.assignment, dt.datetime.now(dt.UTC)
    deadline = deadline_of(assignment, extension_of(session, assignment.id, submission.student_id))
    extra = deadline.extension.extra_attempts if deadline.extension else 0
    budget = budget_of(session, assignment, submission.student_id, at=now, extra=extra)
    return {
        "submission": submission,
        "assignment": assignment,
        "course": assignment.course,
        "student": submission.student,
        "due_at": deadline.due_at,
        "of_most": f" of {budget.most}" if budget.most is not None else "",
        "path": f"/submissions/{submission.receipt}",
        "again": _again(deadline, budget, now),
    }


def _again(deadline: Deadline, budget: Budget, now: dt.datetime) -> str:
    """Say what the student may do next."""
    if deadline.is_closed(now):
        return "This assignment is closed; nothing more is taken."
    if budget.is_used_up:
        return f"All {budget.most} attempts are used."
    if budget.next_at is not None:
        return f"The next attempt is possible on {budget.next_at:%Y-%m-%d at %H:%M} UTC."
    if budget.left is None:
        return "You may hand in again until you are content."
    return f"Attempts left: {budget.left}."


def receipt_fact(submission: Submission) -> str:
    """Say what a receipt says, in a line of a digest."""
    when = "late" if submission.is_late else "on time"
    return (
        f"Received {submission.created_at:%Y-%m-%d %H:%M:%S} UTC: attempt {submission.number}, {when}. "
        f"Receipt {submission.receipt}, SHA-256 {submission.sha256}"
    )


def said_of_override(override: GradeOverride) -> str:
    """Say what a person has set the score to."""
    return f"{_number(override.score)} of {_number(override.assignment.points)} points, changed by staff"


def grade_fact(said: str, before: str | None, *, failed: int = 0) -> str:
    """Say what became of the work: the first line of the mail."""
    tests = f", {failed} test{'s' if failed > 1 else ''} failed" if failed else ""
    return f"{said[:1].upper()}{said[1:]}{tests}" + (f" (it was: {before})" if before else "")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
