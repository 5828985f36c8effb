"""What a student is told by mail: the receipt, the grade, a changed grade, a new deadline.

Everything is queued once, whatever is retried, and as the student chose: at once, for the first and the
final attempt, in the daily digest, or not at all. Which tests are hidden, and what others did, is never said.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from app.academic.gradebook.overrides import override_of
from app.academic.mail_models import ToldGrade
from app.academic.mail_words import context_of, grade_fact, list_id, receipt_fact, said_of, said_of_override
from app.academic.models import Assignment, Submission
from app.academic.policy import deadline_of, extension_of
from app.academic.results import shown_result
from app.accounts.models import User
from app.db import writing
from app.mail.addresses import refused
from app.mail.delivery import send_later
from app.mail.digests import add_item
from app.mail.outbox import queue_mail
from app.mail.preferences import preference_of, unsubscribe_url
from app.runner import run_background_job

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.academic.gradebook.models import GradeOverride
    from app.academic.models import Extension
    from app.academic.results import ShownResult
    from app.academic.submissions import Job
    from app.mail.models import OutboxMail

# Grades that come so close together are told in one mail.
COALESCE_SECONDS: Final = 20
# Where nothing is due, an attempt is final after so long without another.
QUIET_SECONDS: Final = 3600
# Just after the deadline the last attempts are still being graded.
FINAL_SECONDS: Final = 300
_MOST_NAMES: Final = 10
_MOST_LETTERS: Final = 300


class Queued(NamedTuple):
    """What became of a mail: its number, or the reason that there is none."""

    mail_id: int | None
    word: str


def queue_receipt(submission_id: int) -> Queued:
    """Put the receipt into the outbox; asked again, it gives the same mail."""
    with writing() as session:
        submission = session.get_one(Submission, submission_id)
        choice = preference_of(session, submission.student_id).receipts
        if choice == "none":
            return Queued(None, "not wanted")
        if choice == "digest":
            _add_to_digest(session, submission, "receipts", receipt_fact(submission))
            return Queued(None, "in the digest")
        if choice == "ends" and submission.number > 1:
            _request_final(session, submission)
            return Queued(None, "when it is final")
        return Queued(_receipt(session, submission).id, "queued")


def request_grade_mail(session: Session, submission: Submission) -> None:
    """Have the student told soon what grading came to, in the caller's transaction; once for many grades.

    To be called whenever a grade, an override or what a student sees of it has changed.
    """
    key = f"grade-mail:{submission.assignment_id}:{submission.student_id}"
    job = _enqueue_grade_mail(session, submission, key)
    if job.status == "running":
        # It may have read the old rows already.
        _enqueue_grade_mail(session, submission, f"{key}:next")


def queue_grade_mails(assignment_id: int, student_id: int) -> list[int]:
    """Queue what the student does not know yet: the newest attempt's grade, and changes of what was told."""
    with writing() as session:
        newest = _newest(session, assignment_id, student_id)
        if newest is None:
            return []
        told = _told(session, assignment_id, student_id)
        if newest.id not in {submission.id for submission, _ in told}:
            told = [*told, (newest, None)]
        # What a person has set is told once, with the newest attempt.
        override = override_of(session, assignment_id, student_id)
        mails = [
            _tell(session, submission, known, override=override if submission.id == newest.id else None)
            for submission, known in told
        ]
        return [mail_id for mail_id in mails if mail_id is not None]


def queue_final(assignment_id: int, student_id: int) -> tuple[list[int], float]:
    """Queue receipt and grade of the last attempt, and give how long to wait if it is too soon to say so."""
    with writing() as session:
        newest = _newest(session, assignment_id, student_id)
        if newest is None:
            return [], 0
        wait = _final_seconds(session, newest)
        if wait > 0:
            return [], wait
        preference = preference_of(session, student_id)
        mails = [_receipt(session, newest).id] if preference.receipts == "ends" else []
        if preference.grades == "ends":
            override = override_of(session, assignment_id, student_id)
            known = session.get(ToldGrade, newest.id)
            grade = _tell(session, newest, known, override=override, is_final=True)
            mails += [grade] if grade is not None else []
        return mails, 0


def queue_extension(session: Session, extension: Extension) -> None:
    """Tell a student of a deadline of their own, in the caller's transaction; the mail goes out by itself."""
    assignment = session.get_one(Assignment, extension.assignment_id)
    student = session.get_one(User, extension.student_id)
    course = assignment.course
    due_at = extension.due_at or assignment.due_at
    until = f"until {due_at:%Y-%m-%d %H:%M} UTC" if due_at else "without a deadline"
    mail = queue_mail(
        session,
        key=f"extension:{assignment.id}:{student.id}:{extension.granted_at.isoformat()}",
        kind="extension",
        to=student.email,
        subject=f"{course.code} {assignment.title}: you may hand in {until}",
        template="extension",
        context={
            "extension": extension,
            "assignment": assignment,
            "course": course,
            "until": until,
            "path": f"/assignments/{assignment.id}",
        },
        thread=f"assignment:{assignment.id}",
        user_id=student.id,
        reply_to=course.instructor.email,
        list_id=list_id(course),
    )
    session.flush()
    send_later(session, mail.id)


def _receipt(session: Session, submission: Submission) -> OutboxMail:
    assignment, course = submission.assignment, submission.assignment.course
    preference = preference_of(session, submission.student_id)
    mail = queue_mail(
        session,
        key=f"receipt:{submission.id}",
        kind="receipt",
        to=submission.student.email,
        subject=f"{course.code} {assignment.title}: received, attempt {submission.number}",
        template="receipt",
        context=context_of(session, submission),
        thread=f"submission:{submission.id}",
        user_id=submission.student_id,
        reply_to=course.instructor.email,
        list_id=list_id(course),
        unsubscribe_url=unsubscribe_url(preference, "receipts"),
    )
    session.flush()
    return mail


def _tell(
    session: Session,
    submission: Submission,
    known: ToldGrade | None,
    *,
    override: GradeOverride | None = None,
    is_final: bool = False,
) -> int | None:
    """Queue the mail about one submission's grade unless its student knows it or does not want it."""
    result = shown_result(submission, is_staff=False)
    # While a person has yet to judge there is nothing to tell.
    if result is None or result.is_waiting:
        return None
    said = said_of_override(override) if override else said_of(result)
    choice = preference_of(session, submission.student_id).grades
    if choice == "ends" and known is None and submission.number > 1 and not is_final:
        _request_final(session, submission)
        return None
    if known is not None and known.said == said:
        return None
    before, told = known.said if known else None, known or ToldGrade(submission_id=submission.id, version=0)
    told.version, told.said, told.told_at = told.version + 1, said, dt.datetime.now(dt.UTC)
    session.add(told)
    if choice == "none" or _is_refused(session, submission):
        return None
    if choice == "digest":
        _add_to_digest(session, submission, "grades", grade_fact(said, before), version=told.version)
        return None
    return _grade_mail(session, submission, result, before=before, told=told, override=override).id


def _grade_mail(
    session: Session,
    submission: Submission,
    result: ShownResult,
    *,
    before: str | None,
    told: ToldGrade,
    override: GradeOverride | None,
) -> OutboxMail:
    assignment, course = submission.assignment, submission.assignment.course
    kind = "grade" if before is None else "grade-changed"
    said, is_score = told.said, result.is_graded or override is not None
    outcome = said if course.is_score_in_subject or not is_score else "graded"
    preference = preference_of(session, submission.student_id)
    tests = () if override else result.tests
    failed = [test.title for test in tests if test.state == "failed" and test.max_points is not None]
    mail = queue_mail(
        session,
        key=f"{kind}:{submission.id}:{told.version}",
        kind=kind,
        to=submission.student.email,
        subject=f"{course.code} {assignment.title}: {'changed: ' if before else ''}{outcome}, "
        f"attempt {submission.number}",
        template="grade",
        context=context_of(session, submission)
        | {
            "fact": grade_fact(said, before, failed=len(failed)),
            "why": _why(result, override),
            "failed": failed[:_MOST_NAMES],
            "more": max(0, len(failed) - _MOST_NAMES),
        },
        thread=f"submission:{submission.id}",
        user_id=submission.student_id,
        reply_to=course.instructor.email,
        list_id=list_id(course),
        unsubscribe_url=unsubscribe_url(preference, "grades"),
    )
    session.flush()
    return mail


def _why(result: ShownResult, override: GradeOverride | None) -> str:
    if override is not None:
        return f"Reason: {override.reason}"
    return "" if result.is_graded else result.feedback[:_MOST_LETTERS]


def _enqueue_grade_mail(session: Session, submission: Submission, key: str) -> Job:
    return run_background_job(
        "app.academic.mail_jobs.SendGradeMailJob",
        "handle",
        [submission.assignment_id, submission.student_id],
        priority=2,
        delay=COALESCE_SECONDS,
        retries=3,
        unique_key=key,
        session=session,
    )


def _request_final(session: Session, submission: Submission) -> None:
    run_background_job(
        "app.academic.mail_jobs.SendFinalMailJob",
        "handle",
        [submission.assignment_id, submission.student_id],
        priority=3,
        delay=_final_seconds(session, submission),
        retries=3,
        unique_key=f"final-mail:{submission.assignment_id}:{submission.student_id}",
        session=session,
    )


def _final_seconds(session: Session, newest: Submission) -> float:
    """Give how long it is until this attempt can be called the final one."""
    extension = extension_of(session, newest.assignment_id, newest.student_id)
    deadline = deadline_of(newest.assignment, extension)
    closes_at = deadline.late_due_at or deadline.due_at
    moment = newest.created_at + dt.timedelta(seconds=QUIET_SECONDS)
    if closes_at is not None and newest.created_at < closes_at:
        moment = closes_at + deadline.grace + dt.timedelta(seconds=FINAL_SECONDS)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())


def _newest(session: Session, assignment_id: int, student_id: int) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(Submission.assignment_id == assignment_id, Submission.student_id == student_id)
        .order_by(Submission.number.desc())
        .limit(1)
    )


def _told(session: Session, assignment_id: int, student_id: int) -> list[tuple[Submission, ToldGrade | None]]:
    found = session.execute(
        select(Submission, ToldGrade)
        .join(ToldGrade, ToldGrade.submission_id == Submission.id)
        .where(Submission.assignment_id == assignment_id, Submission.student_id == student_id)
        .order_by(Submission.number)
    )
    return [(submission, told) for submission, told in found]


def _is_refused(session: Session, submission: Submission) -> bool:
    return bool(refused(session, [submission.student.email]))


def _add_to_digest(
    session: Session, submission: Submission, scope: str, fact: str, *, version: int = 0
) -> None:
    assignment = submission.assignment
    add_item(
        session,
        key=f"{scope}:{submission.id}:{version}",
        user_id=submission.student_id,
        scope=scope,
        title=f"{assignment.course.code} {assignment.title}",
        fact=fact,
        path=f"/submissions/{submission.receipt}",
    )
