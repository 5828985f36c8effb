"""Grading once more, aside: students see nothing of it until a person publishes what came of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic.gradebook.models import Regrade, RegradeResult
from app.academic.gradebook.regrade_rows import rows_of
from app.academic.grades import keep_report, penalised
from app.academic.grading.results import GradeReport
from app.academic.models import Assignment, Grade, Submission
from app.academic.notification import request_grade_mail
from app.academic.rubric_marks import with_marks
from app.academic.submissions import request_analytics
from app.accounts import audit
from app.db import db, writing
from app.runner import run_background_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.regrade_rows import Row

HANDLER: Final = "app.academic.jobs.RegradeSubmissionJob"
# Behind every student who waits.
PRIORITY: Final = 3
RETRIES: Final = 3


class RegradeRefused(ValueError):
    """The regrade cannot be begun, published or discarded; the message says why."""


def begin(
    session: Session, assignment: Assignment, *, by_id: int, submission: Submission | None = None
) -> Regrade:
    """Enqueue a regrade of one submission, or of all of an assignment; raises `RegradeRefused`.

    While one of the assignment is open it is given again instead, so that asking twice does no harm.
    """
    # The lock lets two people ask at the same moment and get one regrade.
    session.get_one(Assignment, assignment.id, with_for_update=True)
    known = _open_one(session, assignment.id, submission)
    if known is not None:
        return known
    chosen = [submission.id] if submission else _all_attempts(session, assignment.id)
    if not chosen:
        raise RegradeRefused("Nothing was handed in yet, so there is nothing to grade once more.")
    made = Regrade(
        assignment_id=assignment.id,
        is_whole=submission is None,
        requested_by_id=by_id,
        requested_at=dt.datetime.now(dt.UTC),
        results=[RegradeResult(submission_id=submission_id) for submission_id in chosen],
    )
    session.add(made)
    session.flush()
    _enqueue(session, made)
    audit.record(session, "regrade_begun", f"regrade:{made.id}", after=f"{len(chosen)} submissions")
    return made


def keep_result(
    regrade_id: int,
    submission_id: int,
    report: GradeReport | None,
    *,
    version: int | None = None,
    problem: str = "",
) -> bool:
    """Keep what a job found, in place of what an earlier run of it found; False when nobody waits for it."""
    with writing() as session:
        row = session.get(RegradeResult, (regrade_id, submission_id), with_for_update=True)
        if row is None or session.get_one(Regrade, regrade_id).state != "open":
            return False
        if report is not None:
            report = with_marks(session, submission_id, report)
        row.problem, row.version = problem or None, version
        row.report = report.to_json() if report else None
        has_score = report is not None and report.outcome == "graded"
        row.score = penalised(session, row.submission, report.score) if report and has_score else None
        row.points = report.points if report else None
        row.graded_at = dt.datetime.now(dt.UTC)
    return True


def publish(session: Session, regrade_id: int, *, by_id: int) -> int:
    """Replace the grades that changed by those of the regrade; give how many. Raises `RegradeRefused`.

    A grade that was made after the regrade's is left as it is.
    """
    regrade = _open(session, regrade_id)
    rows = rows_of(session, regrade)
    if any(row.state == "waits" for row in rows):
        raise RegradeRefused("Some submissions are not graded yet: wait for them, or discard the regrade.")
    changed = [row for row in rows if row.state == "changed"]
    for row in changed:
        _apply(session, regrade, row)
    _decide(regrade, "published", by_id)
    audit.record(session, "regrade_published", f"regrade:{regrade_id}", after=f"{len(changed)} grades")
    request_analytics(session, regrade.assignment.course)
    return len(changed)


def discard(session: Session, regrade_id: int, *, by_id: int) -> None:
    """Forget what the regrade found; no grade changes. Raises `RegradeRefused`."""
    _decide(_open(session, regrade_id), "discarded", by_id)
    audit.record(session, "regrade_discarded", f"regrade:{regrade_id}")


def recent(session: Session, assignment_id: int) -> Sequence[Regrade]:
    """The regrades of an assignment, newest first."""
    query = (
        select(Regrade)
        .where(Regrade.assignment_id == assignment_id)
        .options(joinedload(Regrade.requested_by))
        .order_by(Regrade.id.desc())
        .limit(20)
    )
    return session.scalars(query).all()


def is_wanted(regrade_id: int, submission_id: int) -> bool:
    """Whether somebody still waits for this submission's result."""
    query = (
        select(Regrade.state)
        .join(RegradeResult)
        .where(Regrade.id == regrade_id, RegradeResult.submission_id == submission_id)
    )
    return db.session.scalar(query) == "open"


def _open_one(session: Session, assignment_id: int, submission: Submission | None) -> Regrade | None:
    query = select(Regrade).where(
        Regrade.assignment_id == assignment_id,
        Regrade.state == "open",
        Regrade.is_whole == (submission is None),
    )
    if submission is not None:
        query = query.join(RegradeResult).where(RegradeResult.submission_id == submission.id)
    return session.scalars(query).first()


def _all_attempts(session: Session, assignment_id: int) -> list[int]:
    query = select(Submission.id).where(Submission.assignment_id == assignment_id).order_by(Submission.id)
    return list(session.scalars(query))


def _enqueue(session: Session, regrade: Regrade) -> None:
    parameters = [[regrade.id, result.submission_id] for result in regrade.results]
    numbers = run_background_jobs(
        HANDLER, "handle", parameters, priority=PRIORITY, retries=RETRIES, session=session
    )
    for result, number in zip(regrade.results, numbers, strict=True):
        result.job_id = number


def _open(session: Session, regrade_id: int) -> Regrade:
    """The regrade, locked: of two people who decide at the same moment one is refused."""
    regrade = session.get_one(Regrade, regrade_id, with_for_update=True, populate_existing=True)
    if regrade.state != "open":
        raise RegradeRefused("Somebody has published or discarded this regrade already.")
    return regrade


def _decide(regrade: Regrade, state: str, by_id: int) -> None:
    regrade.state, regrade.decided_by_id = state, by_id
    regrade.decided_at = dt.datetime.now(dt.UTC)


def _apply(session: Session, regrade: Regrade, row: Row) -> None:
    result = row.result
    grade = row.submission.grade or Grade(submission_id=row.submission.id)
    result.old_score, result.is_applied = row.old_score, True
    report = GradeReport.from_json(result.report or "")
    keep_report(session, row.submission, grade, report, version=result.version)
    session.add(grade)
    session.flush()
    request_grade_mail(session, row.submission)
    audit.record(
        session,
        "grade_regraded",
        f"submission:{row.submission.id}",
        before=_score_words(row.old_score),
        after=f"{_score_words(grade.score)} (regrade {regrade.id})",
    )


def _score_words(score: float | None) -> str:
    return "no score" if score is None else f"{score:g}"
