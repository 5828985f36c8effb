"""Grading of an assignment stopped for a while, by a person or by the alarm; nothing is lost.

A grading job that comes meanwhile ends at once and leaves a row; resuming enqueues grading for
each of these rows.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from app.academic.gradebook.models import REASON_LENGTH, WaitingGrading
from app.academic.models import Assignment, Grade, Submission
from app.academic.notification import request_grade_mail
from app.academic.submissions import GRADING, enqueue_grading, grade_again
from app.accounts import audit
from app.db import db, writing

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Who pauses when no person does.
ALARM: Final = "alarm"


def pause(session: Session, assignment_id: int, *, reason: str, by: str | None = None) -> bool:
    """Grade no more of the assignment until somebody resumes it; False when it is paused already.

    `by` is who pauses, by default whoever is signed in; the alarm gives its name. Staff read the reason.
    """
    actor = by or audit.current_actor()
    assignment = _locked(session, assignment_id)
    if assignment.grading_paused_at is not None:
        return False
    assignment.grading_paused_at = dt.datetime.now(dt.UTC)
    assignment.grading_paused_by = actor
    assignment.grading_pause_reason = reason[:REASON_LENGTH]
    audit.record(session, "grading_paused", f"assignment:{assignment_id}", after=reason, actor=actor)
    return True


def resume(session: Session, assignment_id: int) -> int | None:
    """Grade again, first what came meanwhile: how many these are; None when it was not paused."""
    assignment = _locked(session, assignment_id)
    if assignment.grading_paused_at is None:
        return None
    reason = assignment.grading_pause_reason
    assignment.grading_paused_at = assignment.grading_paused_by = assignment.grading_pause_reason = None
    waiting = _waiting(session, assignment_id)
    for submission, is_forced in waiting:
        if is_forced:
            grade_again(session, submission.id, priority=GRADING.priority)
        elif submission.superseded_at is None:
            enqueue_grading(session, submission)
    session.execute(delete(WaitingGrading).where(WaitingGrading.assignment_id == assignment_id))
    audit.record(session, "grading_resumed", f"assignment:{assignment_id}", before=reason)
    return len(waiting)


def release_results(session: Session, assignment_id: int) -> bool:
    """Show students what tests kept from them; False when that was done before."""
    assignment = _locked(session, assignment_id)
    if assignment.results_released_at is not None:
        return False
    assignment.results_released_at = dt.datetime.now(dt.UTC)
    session.flush()
    for submission in _hidden(session, assignment_id):
        request_grade_mail(session, submission)
    audit.record(session, "results_released", f"assignment:{assignment_id}")
    return True


def hide_results(session: Session, assignment_id: int) -> bool:
    """Keep from students again what tests keep from them; False when nothing was released."""
    assignment = _locked(session, assignment_id)
    if assignment.results_released_at is None:
        return False
    assignment.results_released_at = None
    audit.record(session, "results_hidden", f"assignment:{assignment_id}")
    return True


def wait_for_resumption(submission_id: int, *, is_forced: bool = False) -> bool:
    """Tell a grading job whether its assignment is paused; then it is written down who waits.

    `is_forced` asks for grading also of what a newer attempt has superseded.
    """
    paused = select(Assignment.grading_paused_at).join(Submission).where(Submission.id == submission_id)
    if db.session.scalar(paused) is None:
        return False
    with writing() as session:
        # The lock is the one `resume` takes: the row is there before it looks, or not needed any more.
        assignment = session.scalar(
            select(Assignment).join(Submission).where(Submission.id == submission_id).with_for_update()
        )
        if assignment is None or assignment.grading_paused_at is None:
            return False
        row = WaitingGrading(submission_id=submission_id, assignment_id=assignment.id)
        row.is_forced, row.since_at = is_forced, dt.datetime.now(dt.UTC)
        session.merge(row)
    return True


def waiting_count(session: Session, assignment_id: int) -> int:
    """How many submissions wait for the assignment to be resumed."""
    query = select(func.count()).where(WaitingGrading.assignment_id == assignment_id)
    return session.scalar(query) or 0


def _locked(session: Session, assignment_id: int) -> Assignment:
    return session.get_one(Assignment, assignment_id, with_for_update=True, populate_existing=True)


def _hidden(session: Session, assignment_id: int) -> list[Submission]:
    """Of each student one submission whose total was kept back: a mail is of the student, not of it."""
    query = (
        select(Submission)
        .join(Grade, Grade.submission_id == Submission.id)
        .where(Submission.assignment_id == assignment_id, Grade.hides != "nothing")
    )
    return list({submission.student_id: submission for submission in session.scalars(query)}.values())


def _waiting(session: Session, assignment_id: int) -> list[tuple[Submission, bool]]:
    query = (
        select(Submission, WaitingGrading.is_forced)
        .join(WaitingGrading, WaitingGrading.submission_id == Submission.id)
        .where(WaitingGrading.assignment_id == assignment_id)
        .order_by(Submission.created_at)
    )
    return [(submission, is_forced) for submission, is_forced in session.execute(query)]
