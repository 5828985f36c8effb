"""Extensions: one student's own deadline, or more attempts, with a reason and a trace."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic.grades import penalise
from app.academic.models import Assignment, Enrollment, Extension, Grade, Submission
from app.academic.notification import queue_extension, request_grade_mail
from app.academic.submissions import request_analytics
from app.accounts import audit
from app.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

REASON_LENGTH: Final = 500
_MOST_ATTEMPTS: Final = 1000


class ExtensionRefused(ValueError):
    """What was typed cannot be an extension; the message begins with the field."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What staff typed, read."""

    student_id: int
    due_at: dt.datetime | None
    late_due_at: dt.datetime | None
    extra_attempts: int
    reason: str


def read_form(form: Mapping[str, str]) -> Wanted:
    """Read the form; `ExtensionRefused` names the field and what was expected."""
    wanted = Wanted(
        student_id=_whole(form.get("student", ""), "Student", "one of the course", 2**53),
        due_at=_moment(form.get("due", ""), "Due"),
        late_due_at=_moment(form.get("late_due", ""), "Last moment"),
        extra_attempts=_whole(
            form.get("extra", "") or "0",
            "More attempts",
            f"a whole number from 0 to {_MOST_ATTEMPTS}",
            _MOST_ATTEMPTS,
        ),
        reason=form.get("reason", "").strip(),
    )
    if not wanted.due_at and not wanted.late_due_at and not wanted.extra_attempts:
        raise ExtensionRefused("Due: expected a time, or more attempts, or both.")
    if wanted.due_at and wanted.late_due_at and wanted.late_due_at < wanted.due_at:
        raise ExtensionRefused("Last moment: expected a time after the student's own deadline.")
    if not wanted.reason or len(wanted.reason) > REASON_LENGTH:
        raise ExtensionRefused(f"Reason: expected a sentence of at most {REASON_LENGTH} characters.")
    return wanted


def grant(session: Session, assignment_id: int, wanted: Wanted, *, by_id: int) -> Extension:
    """Give the extension, or change the one that is there; grades that are there are computed anew."""
    assignment = session.get_one(Assignment, assignment_id)
    if session.get(Enrollment, (assignment.course_id, wanted.student_id)) is None:
        raise ExtensionRefused("Student: expected somebody who takes this course.")
    key = (assignment_id, wanted.student_id)
    known = session.get(Extension, key, with_for_update=True)
    before = _told(known) if known else None
    found = known or Extension(assignment_id=key[0], student_id=key[1])
    found.due_at, found.late_due_at = wanted.due_at, wanted.late_due_at
    found.extra_attempts, found.reason = wanted.extra_attempts, wanted.reason
    found.granted_at, found.granted_by_id = dt.datetime.now(dt.UTC), by_id
    session.add(found)
    session.flush()
    audit.record(
        session,
        "extension_granted",
        _subject(assignment_id, wanted.student_id),
        before=before,
        after=_told(found),
    )
    queue_extension(session, found)
    _recompute(session, assignment, wanted.student_id)
    return found


def take_back(session: Session, assignment_id: int, student_id: int) -> bool:
    """Let the assignment's own rules hold again; False when there was no extension."""
    known = session.get(Extension, (assignment_id, student_id), with_for_update=True)
    if known is None:
        return False
    audit.record(session, "extension_removed", _subject(assignment_id, student_id), before=_told(known))
    session.delete(known)
    session.flush()
    _recompute(session, session.get_one(Assignment, assignment_id), student_id)
    return True


def extensions_for(session: Session, assignment_id: int) -> Sequence[Extension]:
    """All that were granted, by student."""
    return session.scalars(
        select(Extension)
        .join(Extension.student)
        .where(Extension.assignment_id == assignment_id)
        .options(joinedload(Extension.student))
        .order_by(User.last_name, User.first_name, User.id)
    ).all()


def students_of(session: Session, course_id: int) -> Sequence[User]:
    """Who takes a course, by name."""
    return session.scalars(
        select(User)
        .join(Enrollment, Enrollment.student_id == User.id)
        .where(Enrollment.course_id == course_id)
        .order_by(User.last_name, User.first_name, User.id)
    ).all()


def _recompute(session: Session, assignment: Assignment, student_id: int) -> None:
    rows = session.execute(
        select(Submission, Grade)
        .outerjoin(Grade, Grade.submission_id == Submission.id)
        .where(Submission.assignment_id == assignment.id, Submission.student_id == student_id)
    ).all()
    for submission, grade in rows:
        penalise(session, submission, grade)
    if any(grade is not None for _, grade in rows):
        request_grade_mail(session, rows[-1][0])
    request_analytics(session, assignment.course)


def _moment(text: str, field: str) -> dt.datetime | None:
    if not text.strip():
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ExtensionRefused(f"{field}: expected a time like 2026-12-01T23:59, in UTC.") from None
    return found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)


def _whole(text: str, field: str, expected: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= most):  # noqa: PLR2004 - digits
        raise ExtensionRefused(f"{field}: expected {expected}.")
    return int(text)


def _subject(assignment_id: int, student_id: int) -> str:
    return f"assignment:{assignment_id} user:{student_id}"


def _told(extension: Extension) -> str:
    parts = [
        f"due {extension.due_at:%Y-%m-%d %H:%M}" if extension.due_at else "",
        f"closes {extension.late_due_at:%Y-%m-%d %H:%M}" if extension.late_due_at else "",
        f"{extension.extra_attempts} more attempts" if extension.extra_attempts else "",
    ]
    return f"{', '.join(part for part in parts if part)}: {extension.reason}"
