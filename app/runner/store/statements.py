"""The statements of claims and ends, made once: making one costs more than running it.

Each that changes a job carries its guard: only an attempt that is believed writes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    Update,
    bindparam,
    func,
    insert,
    select,
    union_all,
    update,
)

from app.runner.models import IS_FREE, LANES, Attempt, Job
from app.runner.store import classes, dependencies

if TYPE_CHECKING:
    from collections.abc import Collection

Value = ColumnElement[Any]

JOBS: Final = cast("Table", Job.__table__)
ATTEMPTS: Final = cast("Table", Attempt.__table__)

_COLUMNS: Final = (
    JOBS.c.id,
    JOBS.c.attempt,
    JOBS.c.class_name,
    JOBS.c.method,
    JOBS.c.parameters,
    JOBS.c.shown_parameters,
    JOBS.c.priority,
    JOBS.c.timeout_seconds,
    JOBS.c.attempts_used,
    JOBS.c.max_attempts,
    JOBS.c.crashes,
    JOBS.c.rank,
)
_IS_DUE: Final = IS_FREE & (JOBS.c.run_at <= bindparam("now")) & classes.IS_OPEN


def due(full: Collection[str] = (), *, locks: bool = True) -> Select[Any]:
    """Select the first jobs that are due, in rank order, but of classes that are full.

    One lane beside the other: within a lane the index gives them in order, and nothing that is not due yet
    is ever read. Over all lanes, many that are due later may have a lower rank.
    """
    is_wanted = _IS_DUE & JOBS.c.class_name.not_in(sorted(full)) if full else _IS_DUE
    first = select(JOBS.c.id).where(is_wanted).order_by(JOBS.c.run_at, JOBS.c.id).limit(bindparam("most"))
    if locks:
        first = first.with_for_update(skip_locked=True)
    found = union_all(*(select(first.where(JOBS.c.lane == lane).subquery()) for lane in LANES)).subquery()
    wanted = select(*_COLUMNS).join(found, found.c.id == JOBS.c.id)
    wanted = wanted.order_by(JOBS.c.rank, JOBS.c.id).limit(bindparam("most"))
    # Once more, since PostgreSQL has read the whole row before it was ours.
    return wanted.with_for_update(of=JOBS) if locks else wanted


DUE: Final = due()
FIRST_DUE: Final = due(locks=False)
WANTED: Final = select(*_COLUMNS).where(IS_FREE, JOBS.c.id == bindparam("job")).with_for_update()


def taken(by: Value, now: Value) -> dict[str, Any]:
    """What a claim changes in a job."""
    return {
        "status": "running",
        "launcher_id": by,
        "attempt": JOBS.c.attempt + 1,
        "attempts_used": JOBS.c.attempts_used + 1,
        "started_at": now,
        "progress_done": None,
        "progress_total": None,
        "progress_message": None,
    }


def completed(result: Value, at: Value) -> dict[str, Any]:
    """What its completion changes in a job."""
    return {
        "status": "completed",
        "launcher_id": None,
        "error": None,
        "result": result,
        "finished_at": at,
        "unique_slot": dependencies.kept_slot(at),
    }


def measured(
    at: Value, exit_code: Value, cpu: Value, peak: Value, log_bytes: Value, pid: Value, started: Value
) -> dict[str, Any]:
    """What the completion of its job changes in an attempt."""
    return {
        "outcome": "completed",
        "finished_at": at,
        "exit_code": exit_code,
        "cpu_seconds": cpu,
        "peak_memory_bytes": peak,
        "log_bytes": log_bytes,
        "pid": func.coalesce(pid, ATTEMPTS.c.pid),
        "process_started": func.coalesce(started, ATTEMPTS.c.process_started),
    }


TAKE: Final = (
    update(JOBS)
    .where(JOBS.c.id.in_(bindparam("ids", expanding=True)), JOBS.c.status == "pending")
    .values(taken(bindparam("by"), bindparam("now")))
)
BEGIN: Final = insert(ATTEMPTS)


def _ours(*guards: ColumnElement[bool]) -> Update:
    """Change a job that this attempt is believed to run, and no other."""
    is_ours = (JOBS.c.id == bindparam("of_job")) & (JOBS.c.attempt == bindparam("of_attempt"))
    return update(JOBS).where(is_ours, JOBS.c.status == "running", *guards)


_ENDED: Final = {
    "launcher_id": None,
    "error": bindparam("new_error"),
    "result": bindparam("new_result"),
    "attempts_used": JOBS.c.attempts_used - bindparam("gives_back"),
    "crashes": JOBS.c.crashes + bindparam("crash"),
}
_AT: Final = bindparam("at", type_=JOBS.c.finished_at.type)
OVER: Final = _ours().values(
    _ENDED
    | {"status": bindparam("new_status"), "finished_at": _AT, "unique_slot": dependencies.kept_slot(_AT)}
)
AGAIN: Final = _ours(JOBS.c.cancel_requested_at.is_(None)).values(
    _ENDED
    | {
        "status": "pending",
        "run_at": bindparam("at"),
        "rank": bindparam("new_rank"),
        "lane": JOBS.c.priority,
    }
)
COMPLETED: Final = _ours().values(completed(bindparam("new_result"), _AT))
SAVE_PROGRESS: Final = _ours().values(
    progress_done=bindparam("done"), progress_total=bindparam("total"), progress_message=bindparam("message")
)

_THIS_ATTEMPT: Final = update(ATTEMPTS).where(
    ATTEMPTS.c.job_id == bindparam("of_job"), ATTEMPTS.c.number == bindparam("of_attempt")
)
SAVE_PROCESS: Final = _THIS_ATTEMPT.where(ATTEMPTS.c.outcome == "running").values(
    pid=bindparam("new_pid"), process_started=bindparam("new_started")
)
END: Final = _THIS_ATTEMPT.values(
    outcome=bindparam("new_outcome"),
    finished_at=bindparam("at"),
    error=bindparam("new_error"),
    traceback=bindparam("new_traceback"),
    exit_code=bindparam("new_exit_code"),
    signal=bindparam("new_signal"),
    cpu_seconds=bindparam("cpu"),
    peak_memory_bytes=bindparam("peak"),
    log_bytes=bindparam("bytes"),
    pid=func.coalesce(bindparam("new_pid"), ATTEMPTS.c.pid),
    process_started=func.coalesce(bindparam("new_started"), ATTEMPTS.c.process_started),
)
COMPLETED_ATTEMPT: Final = _THIS_ATTEMPT.values(
    measured(
        bindparam("at"),
        *(bindparam(name) for name in ("new_exit_code", "cpu", "peak", "bytes", "new_pid", "new_started")),
    )
)
