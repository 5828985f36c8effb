"""Assignment snapshots: computed when what they are made of has changed, and read by the pages."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from app.academic import similarity
from app.academic.figures import AssignmentReport, counting_attempts, report_of
from app.academic.gradebook.models import AssignmentSnapshot, RegradeResult
from app.academic.grading.results import GradeReport
from app.academic.models import Grade, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.records import Records
    from app.academic.models import Assignment

# As many as a database takes in one list.
_AT_ONCE: Final = 500
# Changed when the report has other figures than before.
_FORM: Final = 2


def current_report(session: Session, assignment: Assignment) -> AssignmentReport | None:
    """The snapshot of the version that is graded with, or None before there is one."""
    row = session.get(AssignmentSnapshot, (assignment.id, assignment.version))
    return AssignmentReport.from_json(row.report) if row else None


def computed(session: Session, assignment: Assignment, records: Records) -> tuple[AssignmentReport, str]:
    """The report, read when nothing it is made of has changed and else computed; and its basis."""
    histogram = similarity.similarity_histogram(session, assignment.id)
    hides = _hides(session, assignment)
    basis = _basis(assignment, records, [*histogram, hides])
    known = session.get(AssignmentSnapshot, (assignment.id, assignment.version))
    if known is not None and known.basis == basis:
        return AssignmentReport.from_json(known.report), basis
    chosen = [attempt.id for attempt in counting_attempts(records, assignment)]
    report = report_of(
        assignment,
        records,
        reports=_reports(session, chosen),
        graded_again=_graded_again(session, assignment.id),
        similarity=histogram,
        hides=hides,
    )
    return report, basis


def keep(session: Session, report: AssignmentReport, basis: str) -> None:
    """Replace the snapshot of the report's version."""
    key = (report.assignment_id, report.version)
    row = session.get(AssignmentSnapshot, key, with_for_update=True) or AssignmentSnapshot(
        assignment_id=report.assignment_id, version=report.version
    )
    if row.basis == basis:
        return
    row.basis, row.report, row.computed_at = basis, report.to_json(), report.computed_at
    session.add(row)


def forget(session: Session, assignment_id: int) -> None:
    """Have the next job compute the assignment's numbers anew, whatever has changed."""
    session.execute(delete(AssignmentSnapshot).where(AssignmentSnapshot.assignment_id == assignment_id))


def _basis(assignment: Assignment, records: Records, more: Sequence[object]) -> str:
    """A digest of everything that goes into the report."""
    students = {student.id for student in records.students}
    facts: list[object] = [_FORM, assignment.title, assignment.points, assignment.counts, *more]
    for student_id in sorted(students):
        key = (assignment.id, student_id)
        override = records.overrides.get(key)
        due_at = records.deadlines.get(key) or assignment.due_at
        is_over = due_at is not None and due_at <= dt.datetime.now(dt.UTC)
        facts.append((student_id, due_at, is_over, override.score if override else None))
        facts += records.attempts.get(key, [])
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _reports(session: Session, submission_ids: Sequence[int]) -> dict[int, GradeReport]:
    found: dict[int, GradeReport] = {}
    for start in range(0, len(submission_ids), _AT_ONCE):
        some = submission_ids[start : start + _AT_ONCE]
        query = select(Grade.submission_id, Grade.report).where(Grade.submission_id.in_(some))
        for submission_id, report in session.execute(query):
            found[submission_id] = GradeReport.from_json(report)
    return found


def _graded_again(session: Session, assignment_id: int) -> set[int]:
    query = (
        select(RegradeResult.submission_id)
        .join(Submission, Submission.id == RegradeResult.submission_id)
        .where(Submission.assignment_id == assignment_id, RegradeResult.is_applied)
    )
    return set(session.scalars(query))


def _hides(session: Session, assignment: Assignment) -> bool:
    """Whether a student's own total is still kept from them by some test."""
    if assignment.results_released_at is not None:
        return False
    is_due = assignment.due_at is not None and assignment.due_at <= dt.datetime.now(dt.UTC)
    hiding = {"always"} if is_due else {"always", "until_due"}
    query = (
        select(Grade.submission_id)
        .join(Submission, Submission.id == Grade.submission_id)
        .where(Submission.assignment_id == assignment.id, Grade.hides.in_(hiding))
        .limit(1)
    )
    return session.scalar(query) is not None
