"""Attempts as launchers write them: claimed, seen to run, finished; each write carries its token."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, insert, select, update

from app.runner.backoff import rank_of
from app.runner.models import Attempt, Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.runner.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A job that is ours to run: what its process must know, and what its end depends on."""

    job_id: int
    attempt: int
    class_name: str
    method: str
    parameters: str
    shown_parameters: str
    priority: int
    timeout_seconds: float | None
    attempts_used: int
    max_attempts: int
    crashes: int


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What an attempt came to, and what becomes of its job."""

    job_id: int
    attempt: int
    status: str
    outcome: str
    finished_at: dt.datetime
    run_at: dt.datetime | None = None
    priority: int = 2
    result: str | None = None
    error: str | None = None
    traceback: str | None = None
    # How many attempts the budget gets back, and how many crashes are counted.
    gives_back: int = 0
    crash: int = 0
    exit_code: int | None = None
    signal: int | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    log_bytes: int = 0
    pid: int | None = None
    process_started: float | None = None


def claim(session: Session, launcher_id: str, host: str, limit: int) -> list[Claimed]:
    """Take up to `limit` due jobs in rank order; from here on each is ours until finished."""
    now = dt.datetime.now(dt.UTC)
    due = (
        select(Job)
        .where(Job.status == "pending", Job.is_held.is_(False), Job.run_at <= now)
        .order_by(Job.rank, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = [_claimed(job) for job in session.scalars(due)]
    if claimed:
        _take(session, claimed, launcher_id, now)
        rows = [
            {"job_id": each.job_id, "number": each.attempt, "launcher_id": launcher_id, "host": host}
            | {"started_at": now, "outcome": "running", "log_bytes": 0}
            for each in claimed
        ]
        session.execute(insert(Attempt), rows)
    return claimed


def claim_one(session: Session, job_id: int, launcher_id: str, host: str) -> Claimed | None:
    """Take this one job, due or not, unless it is not pending (or held)."""
    now = dt.datetime.now(dt.UTC)
    wanted = select(Job).where(Job.id == job_id, Job.status == "pending", Job.is_held.is_(False))
    job = session.scalar(wanted.with_for_update())
    if job is None:
        return None
    claimed = _claimed(job)
    _take(session, [claimed], launcher_id, now)
    row = {"job_id": job_id, "number": claimed.attempt, "launcher_id": launcher_id, "host": host}
    session.execute(insert(Attempt), row | {"started_at": now, "outcome": "running", "log_bytes": 0})
    return claimed


def save_process(session: Session, job_id: int, attempt: int, pid: int, process_started: float) -> None:
    """Note which process runs an attempt."""
    statement = update(Attempt).where(Attempt.job_id == job_id, Attempt.number == attempt)
    _execute(session, statement.values(pid=pid, process_started=process_started))


def save_progress(session: Session, job_id: int, attempt: int, progress: tuple[float, float, str]) -> None:
    """Note how far a handler says it is; a late attempt changes nothing."""
    done, total, message = progress
    ours = (Job.id == job_id) & (Job.attempt == attempt) & (Job.status == "running")
    values = {"progress_done": done, "progress_total": total, "progress_message": message[:200]}
    _execute(session, update(Job).where(ours).values(values))


def finish(session: Session, end: Finish, settings: Settings) -> Finish | None:
    """Write the end of an attempt and give what was written; None if the attempt is no longer believed.

    A cancel may have been asked for that no launcher has seen: then there is no next attempt.
    """
    ours = (Job.id == end.job_id) & (Job.attempt == end.attempt) & (Job.status == "running")
    if end.status != "pending":
        return _finish(session, end, ours, settings)
    free = Job.cancel_requested_at.is_(None)
    return _finish(session, end, ours & free, settings) or _finish(session, _last(end), ours, settings)


def _claimed(job: Job) -> Claimed:
    return Claimed(
        job_id=job.id,
        attempt=job.attempt + 1,
        class_name=job.class_name,
        method=job.method,
        parameters=job.parameters,
        shown_parameters=job.shown_parameters or job.parameters,
        priority=job.priority,
        timeout_seconds=job.timeout_seconds,
        attempts_used=job.attempts_used + 1,
        max_attempts=job.max_attempts,
        crashes=job.crashes,
    )


def _take(session: Session, claimed: Sequence[Claimed], launcher_id: str, now: dt.datetime) -> None:
    ids = [each.job_id for each in claimed]
    values: dict[str, Any] = {
        "status": "running",
        "launcher_id": launcher_id,
        "attempt": Job.attempt + 1,
        "attempts_used": Job.attempts_used + 1,
        "started_at": now,
        "progress_done": None,
        "progress_total": None,
        "progress_message": None,
    }
    taken = _execute(session, update(Job).where(Job.id.in_(ids), Job.status == "pending").values(values))
    if taken != len(ids):
        raise RuntimeError(f"{len(ids)} jobs were locked for a claim, {taken} could be taken")


def _finish(session: Session, end: Finish, guard: ColumnElement[bool], settings: Settings) -> Finish | None:
    if _execute(session, update(Job).where(guard).values(_job_values(end, settings))) != 1:
        return None
    attempt = update(Attempt).where(Attempt.job_id == end.job_id, Attempt.number == end.attempt)
    _execute(session, attempt.values(_attempt_values(end)))
    return end


def _last(end: Finish) -> Finish:
    outcome = "failed" if end.outcome == "retrying" else end.outcome
    error = f"cancelled before its next attempt; {end.error}" if end.error else "cancelled"
    return replace(end, status="cancelled", outcome=outcome, run_at=None, error=error)


def _job_values(end: Finish, settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = {
        "status": end.status,
        "launcher_id": None,
        "error": end.error,
        "result": end.result,
        "attempts_used": Job.attempts_used - end.gives_back,
        "crashes": Job.crashes + end.crash,
    }
    if end.run_at is not None:
        rank = rank_of(end.run_at, end.priority, settings.ageing_seconds)
        return values | {"run_at": end.run_at, "rank": rank, "cancel_requested_at": None}
    return values | {"finished_at": end.finished_at, "unique_slot": None}


def _attempt_values(end: Finish) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: getattr(end, name)
        for name in (
            "outcome",
            "finished_at",
            "error",
            "traceback",
            "exit_code",
            "signal",
            "cpu_seconds",
            "peak_memory_bytes",
            "log_bytes",
        )
    }
    if end.pid is not None:
        values |= {"pid": end.pid, "process_started": end.process_started}
    return values


def _execute(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
