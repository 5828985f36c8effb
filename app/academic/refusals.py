"""Why work is not taken: closed, all attempts used, or too many within an hour."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from app.academic.models import Enrollment, Submission
from app.academic.policy import budget_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.academic.models import Assignment
    from app.academic.policy import Deadline
    from app.accounts.models import User

# For every assignment, whatever it allows: a guard for the site.
ATTEMPTS_PER_HOUR: Final = 20
_KEPT: Final = "What you sent before is kept."


class HandInRefused(Exception):
    """The work was not taken and nothing was stored; the message says why."""


def refuse(
    session: Session,
    student_id: int,
    assignment: Assignment,
    deadline: Deadline,
    *,
    at: dt.datetime,
    is_free: bool = False,
) -> None:
    """Raise `HandInRefused` if nothing may be handed in; what is free spends no attempt."""
    _refuse_closed(assignment, deadline, at)
    _refuse_flood(session, student_id, assignment, at)
    if not is_free:
        _refuse_spent(session, student_id, assignment, deadline, at)


def lock_enrollment(session: Session, student: User, assignment: Assignment) -> None:
    """Make two requests of one student count their attempts one after the other."""
    found = session.scalar(
        select(Enrollment)
        .where(Enrollment.course_id == assignment.course_id, Enrollment.student_id == student.id)
        .with_for_update()
    )
    if found is None:
        raise HandInRefused(f"You do not take {assignment.course.title}, so there is nothing to hand in.")


def _refuse_closed(assignment: Assignment, deadline: Deadline, received_at: dt.datetime) -> None:
    if not assignment.is_published:
        raise HandInRefused("This assignment is not open yet, so there is nothing to hand in.")
    if deadline.is_closed(received_at) and deadline.late_due_at is not None:
        raise HandInRefused(
            f"This assignment closed on {deadline.late_due_at:%a %d %b %Y at %H:%M} UTC, "
            f"so nothing was taken. {_KEPT}"
        )


def _refuse_spent(
    session: Session, student_id: int, assignment: Assignment, deadline: Deadline, received_at: dt.datetime
) -> None:
    extra = deadline.extension.extra_attempts if deadline.extension else 0
    budget = budget_of(session, assignment, student_id, at=received_at, extra=extra)
    if budget.is_used_up:
        raise HandInRefused(f"All {budget.most} attempts at this assignment are used. {_KEPT}")
    if budget.next_at is not None:
        raise HandInRefused(
            f"{budget.window_most} attempts in {_hours(budget.window_hours)} are the limit here: "
            f"the next one is possible on {budget.next_at:%a %d %b at %H:%M} UTC. {_KEPT}"
        )


def _refuse_flood(
    session: Session, student_id: int, assignment: Assignment, received_at: dt.datetime
) -> None:
    hour_ago = received_at - dt.timedelta(hours=1)
    recent, oldest = session.execute(
        select(func.count(), func.min(Submission.created_at)).where(
            Submission.assignment_id == assignment.id,
            Submission.student_id == student_id,
            Submission.created_at > hour_ago,
            Submission.created_at <= received_at,
        )
    ).one()
    if recent >= ATTEMPTS_PER_HOUR:
        free_at = oldest + dt.timedelta(hours=1)
        raise HandInRefused(
            f"{ATTEMPTS_PER_HOUR} attempts in an hour are the limit for an assignment: "
            f"the next one is possible at {free_at:%H:%M} UTC. {_KEPT}"
        )


def _hours(hours: float) -> str:
    return "an hour" if hours == 1 else f"{hours:g} hours"
