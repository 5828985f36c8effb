"""Questions about many jobs: lists, counts, classes, launchers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import Integer, Select, and_, func, literal, or_, select, union_all

from app.runner.models import STATUSES, Attempt, Job, JobClass, LauncherRow
from app.runner.queries import words
from app.runner.queries.views import (
    Cursor,
    Failure,
    FailurePage,
    Filters,
    JobPage,
    JobRow,
    LauncherView,
    Overview,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.orm import Session

T = TypeVar("T")

PAGE_SIZE: Final = 50

# A text is looked for in so many of the newest jobs: the list is asked for every two seconds,
# and a text can only be found by reading.
SEARCH_WINDOW: Final = 100_000

PARAMETERS_LENGTH: Final = 160
ERROR_LENGTH: Final = 300

# A job number has at most this many digits on every database.
MAX_ID_DIGITS: Final = 18

# A secret must not be found by searching for it either.
SHOWN_PARAMETERS: Final = func.coalesce(Job.shown_parameters, Job.parameters)

ROW_COLUMNS: Final = (
    Job.id,
    Job.status,
    Job.class_name,
    Job.method,
    SHOWN_PARAMETERS.label("parameters"),
    Job.priority,
    Job.is_held,
    Job.waits_for,
    Job.attempt,
    Job.attempts_used,
    Job.max_attempts,
    Job.progress_done,
    Job.progress_total,
    Job.progress_message,
    func.substr(Job.error, 1, ERROR_LENGTH).label("error"),
    Job.created_at,
    Job.run_at,
    Job.started_at,
    Job.finished_at,
    Job.cancel_requested_at,
    LauncherRow.heartbeat_at,
)


def list_jobs(
    session: Session, filters: Filters, cursor: Cursor, now: dt.datetime, *, limit: int = PAGE_SIZE
) -> JobPage:
    """Give one page of the jobs that match, newest first, in one query."""
    statement = _rows(*ROW_COLUMNS).where(*_conditions(filters))
    rows, newer, older = _page(session, statement, cursor, limit, lambda row: job_row(row, now))
    return JobPage(rows=rows, newer=newer, older=older)


def list_failures(
    session: Session, filters: Filters, cursor: Cursor, now: dt.datetime, *, limit: int = PAGE_SIZE
) -> FailurePage:
    """Give one page of the failed jobs that match, newest first, each with its last traceback."""
    statement = (
        _rows(*ROW_COLUMNS, Attempt.traceback, Attempt.log_bytes)
        .outerjoin(Attempt, and_(Attempt.job_id == Job.id, Attempt.number == Job.attempt))
        .where(Job.status == "failed", *_conditions(filters))
    )
    rows, newer, older = _page(session, statement, cursor, limit, lambda row: _failure(row, now))
    return FailurePage(rows=rows, newer=newer, older=older)


def _rows(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(Job).outerjoin(LauncherRow, LauncherRow.id == Job.launcher_id)


def _page(
    session: Session, statement: Select[Any], cursor: Cursor, limit: int, make: Callable[[Row[Any]], T]
) -> tuple[list[T], Cursor | None, Cursor | None]:
    if cursor.after is not None:
        found = session.execute(
            statement.where(Job.id > cursor.after).order_by(Job.id).limit(limit + 1)
        ).all()
        rows = found[:limit][::-1]
        newer = Cursor(after=rows[0].id) if len(found) > limit else None
        return [make(row) for row in rows], newer, Cursor(before=rows[-1].id if rows else cursor.after + 1)
    if cursor.before is not None:
        statement = statement.where(Job.id < cursor.before)
    found = session.execute(statement.order_by(Job.id.desc()).limit(limit + 1)).all()
    rows = found[:limit]
    older = Cursor(before=rows[-1].id) if len(found) > limit else None
    newer = None if cursor.before is None else Cursor(after=rows[0].id if rows else cursor.before - 1)
    return [make(row) for row in rows], newer, older


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.status:
        conditions.append(Job.status == filters.status)
    if filters.priority:
        conditions.append(Job.priority == filters.priority)
    if filters.class_name:
        conditions.append(Job.class_name == filters.class_name)
    if filters.text:
        conditions.extend(_contains(filters.text))
    return conditions


def _contains(text: str) -> list[ColumnElement[bool]]:
    newest = select(func.coalesce(func.max(Job.id), 0)).scalar_subquery()
    handler = Job.class_name + "@" + Job.method
    places = [column.icontains(text, autoescape=True) for column in (handler, SHOWN_PARAMETERS, Job.error)]
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= MAX_ID_DIGITS:
        places.append(Job.id == int(number))
    return [Job.id > newest - SEARCH_WINDOW, or_(*places)]


def job_row(row: Row[Any], now: dt.datetime) -> JobRow:
    """Make the value of a row that has `ROW_COLUMNS`."""
    return make_row(row, state=state_of(row, row.heartbeat_at, now), parameters=row.parameters, now=now)


def make_row(job: Any, *, state: str, parameters: str, now: dt.datetime) -> JobRow:
    """Make the value of a job or its row; `parameters` are those that people may see."""
    return JobRow(
        id=job.id,
        status=job.status,
        state=state,
        class_name=job.class_name,
        method=job.method,
        parameters=words.cut(words.readable_parameters(parameters), PARAMETERS_LENGTH),
        priority=job.priority,
        attempts_used=job.attempts_used,
        max_attempts=job.max_attempts,
        progress_done=job.progress_done,
        progress_total=job.progress_total,
        progress_message=job.progress_message and words.visible(job.progress_message),
        error=job.error and words.visible(job.error),
        created_at=job.created_at,
        run_at=job.run_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        is_cancel_requested=job.cancel_requested_at is not None,
        waits_for=job.waits_for if job.status == "pending" else 0,
        now=now,
    )


def state_of(job: Any, heartbeat_at: dt.datetime | None, now: dt.datetime) -> str:
    """Derive the state of a job, given when its launcher was last heard of."""
    return words.derive_state(
        job.status,
        now=now,
        run_at=job.run_at,
        is_held=job.is_held,
        attempts_used=job.attempts_used,
        cancel_requested_at=job.cancel_requested_at,
        heartbeat_at=heartbeat_at,
        waits_for=job.waits_for,
    )


def _failure(row: Row[Any], now: dt.datetime) -> Failure:
    return Failure(
        row=job_row(row, now),
        attempt=row.attempt,
        traceback=row.traceback and words.visible(row.traceback),
        log_bytes=row.log_bytes or 0,
    )


def counts(session: Session) -> dict[str, int]:
    """Count the jobs of every status, none further than `words.COUNT_CAP` + 1."""
    return _named_numbers(session, *_counts())


def overview(session: Session, now: dt.datetime) -> Overview:
    """Count jobs by status, live launchers and paused classes, in one query."""
    launchers = select(literal("launchers"), alive_count(now).scalar_subquery())
    paused = select(literal("paused"), _paused_count().scalar_subquery())
    found = _named_numbers(session, *_counts(), launchers, paused)
    return Overview(live_launchers=found.pop("launchers"), paused=found.pop("paused"), by_status=found)


def _paused_count() -> Select[int]:
    return select(func.count()).select_from(JobClass).where(JobClass.is_paused.is_(True))


def _named_numbers(session: Session, *statements: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(union_all(*statements))}


def _counts() -> list[Select[str, int]]:
    return [_capped_count(status) for status in STATUSES]


def _capped_count(status: str) -> Select[str, int]:
    some = select(Job.id).where(Job.status == status).limit(words.COUNT_CAP + 1).subquery()
    return select(literal(status), func.count(type_=Integer)).select_from(some)


def classes(session: Session) -> list[str]:
    """List the classes that have jobs, in order, jumping along the index instead of reading it."""
    first = select(func.min(Job.class_name).label("name")).cte("class_names", recursive=True)
    after = select(func.min(Job.class_name)).where(Job.class_name > first.c.name).scalar_subquery()
    names = first.union_all(select(after).where(first.c.name.is_not(None)))
    return list(session.scalars(select(names.c.name).where(names.c.name.is_not(None))))


def launchers(session: Session, now: dt.datetime) -> list[LauncherView]:
    """List every launcher known, the living first."""
    running = (
        select(Job.launcher_id, func.count().label("number"))
        .where(Job.status == "running")
        .group_by(Job.launcher_id)
        .subquery()
    )
    statement = (
        select(LauncherRow, func.coalesce(running.c.number, 0))
        .outerjoin(running, running.c.launcher_id == LauncherRow.id)
        .order_by(LauncherRow.heartbeat_at.desc(), LauncherRow.id)
        .execution_options(populate_existing=True)
    )
    return [_launcher(launcher, number, now) for launcher, number in session.execute(statement).all()]


def launchers_alive(session: Session, now: dt.datetime) -> int:
    """Count the launchers heard of lately."""
    return session.scalar(alive_count(now)) or 0


def alive_count(now: dt.datetime) -> Select[int]:
    """Select how many launchers were heard of lately."""
    oldest = now - dt.timedelta(seconds=words.LAUNCHER_SILENT_SECONDS)
    return select(func.count()).select_from(LauncherRow).where(LauncherRow.heartbeat_at >= oldest)


def _launcher(launcher: LauncherRow, running: int, now: dt.datetime) -> LauncherView:
    return LauncherView(
        id=launcher.id,
        host=launcher.host,
        pid=launcher.pid,
        slots=launcher.slots,
        running=running,
        is_draining=launcher.is_draining,
        started_at=launcher.started_at,
        heartbeat_at=launcher.heartbeat_at,
        is_alive=not words.is_silent(launcher.heartbeat_at, now),
    )
