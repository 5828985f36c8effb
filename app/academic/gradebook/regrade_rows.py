"""A regrade as a list: each submission's present grade and the one it would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic.gradebook.models import RegradeResult
from app.academic.grading.results import GradeReport
from app.academic.models import Submission
from app.db import Base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.academic.gradebook.models import Regrade
    from app.academic.models import Grade

# The runner's rows are only read, through the metadata that both share.
_JOBS: Final = Base.metadata.tables["background_jobs"]
# In the order of the list.
STATES: Final = ("problem", "changed", "published", "overtaken", "waits", "same", "left")


@dataclass(frozen=True, kw_only=True)
class TestChange:
    """One test that ends otherwise than before; None where there was or is no such test."""

    __test__ = False

    title: str
    before: str | None
    after: str | None
    points_before: float | None
    points_after: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One submission of a regrade: what the grade is and what it would be."""

    submission: Submission
    result: RegradeResult
    # One of STATES; overtaken: it was graded otherwise since.
    state: str
    old_score: float | None
    tests: tuple[TestChange, ...] = ()


def rows_of(session: Session, regrade: Regrade) -> list[Row]:
    """Every submission of a regrade beside its present grade, those that change first."""
    query = (
        select(RegradeResult)
        .where(RegradeResult.regrade_id == regrade.id)
        .options(
            joinedload(RegradeResult.submission).joinedload(Submission.student),
            joinedload(RegradeResult.submission).joinedload(Submission.grade),
        )
    )
    results = session.scalars(query).all()
    statuses = _statuses(session, results)
    rows = [_row(result, regrade, statuses.get(result.job_id or 0, "")) for result in results]
    return sorted(rows, key=_order)


def _statuses(session: Session, results: Sequence[RegradeResult]) -> dict[int, str]:
    numbers = [result.job_id for result in results if result.report is None]
    query = select(_JOBS.c.id, _JOBS.c.status).where(_JOBS.c.id.in_(numbers))
    return dict(session.execute(query).all())


def _row(result: RegradeResult, regrade: Regrade, job_status: str) -> Row:
    grade = result.submission.grade
    old = result.old_score if result.is_applied else grade.score if grade else None
    return Row(
        submission=result.submission,
        result=result,
        state=_state(result, grade, regrade, job_status),
        old_score=old,
        tests=_changes(grade, result) if regrade.state == "open" else (),
    )


def _state(result: RegradeResult, grade: Grade | None, regrade: Regrade, job_status: str) -> str:
    if result.is_applied:
        return "published"
    if regrade.state != "open":
        return "left"
    if result.problem:
        return "problem"
    if result.report is None or result.graded_at is None:
        return "waits" if job_status in {"pending", "running"} else "problem"
    if grade is not None and grade.graded_at > result.graded_at:
        return "overtaken"
    return "same" if grade is not None and _same(grade, result) else "changed"


def _same(grade: Grade, result: RegradeResult) -> bool:
    return (grade.score, grade.points) == (result.score, result.points) and not _changes(grade, result)


def _changes(grade: Grade | None, result: RegradeResult) -> tuple[TestChange, ...]:
    if result.report is None:
        return ()
    old = {test.name: test for test in GradeReport.from_json(grade.report).tests} if grade else {}
    new = {test.name: test for test in GradeReport.from_json(result.report).tests}
    changes = []
    for name in [*new, *(name for name in old if name not in new)]:
        before, after = old.get(name), new.get(name)
        if before and after and (before.status, before.points) == (after.status, after.points):
            continue
        known = after or before
        changes.append(
            TestChange(
                title=known.title if known else name,
                before=before.status if before else None,
                after=after.status if after else None,
                points_before=before.points if before else None,
                points_after=after.points if after else None,
            )
        )
    return tuple(changes)


def _order(row: Row) -> tuple[int, str, str, int]:
    student = row.submission.student
    return (
        STATES.index(row.state),
        student.last_name.casefold(),
        student.first_name.casefold(),
        row.submission.id,
    )
