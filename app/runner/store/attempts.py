"""Attempts as launchers write them: claimed, seen to run, finished; each write carries its token."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from app.runner.backoff import rank_of
from app.runner.store import bulk, classes, dependencies, statements

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.runner.settings import Approval, Settings


class Claimed(NamedTuple):
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


class Finish(NamedTuple):
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


def claim(
    session: Session, launcher_id: str, host: str, limit: int, limits: Mapping[str, Approval] | None = None
) -> list[Claimed]:
    """Take up to `limit` due jobs in rank order; from here on each is ours until finished.

    Of the classes in `limits` no more are taken than may run, whatever other launchers do meanwhile.
    """
    now = dt.datetime.now(dt.UTC)

    def due(full: Collection[str]) -> Sequence[Any]:
        statement = statements.due(full) if full else statements.DUE
        return session.execute(statement, {"now": now, "most": limit}).all()

    rows = classes.choose(session, due, limits, limit) if limits else due(())
    return _take(session, rows, launcher_id, host, now)


def claim_one(session: Session, job_id: int, launcher_id: str, host: str) -> Claimed | None:
    """Take this one job, due or not, unless it is not pending (or held)."""
    rows = session.execute(statements.WANTED, {"job": job_id}).all()
    taken = _take(session, rows, launcher_id, host, dt.datetime.now(dt.UTC))
    return taken[0] if taken else None


def is_anything_due(session: Session, limits: Mapping[str, Approval] | None = None) -> bool:
    """Whether a claim would find something, found out without writing."""
    now = dt.datetime.now(dt.UTC)
    first = session.execute(statements.FIRST_DUE, {"now": now, "most": 1}).first()
    if first is None or not limits or first.class_name not in limits:
        return first is not None
    others = statements.due(classes.full_classes(session, limits, now), locks=False)
    return session.execute(others, {"now": now, "most": 1}).first() is not None


def save_process(session: Session, job_id: int, attempt: int, pid: int, process_started: float) -> None:
    """Note which process runs an attempt."""
    values = {"of_job": job_id, "of_attempt": attempt, "new_pid": pid, "new_started": process_started}
    session.execute(statements.SAVE_PROCESS, values)


def save_progress(session: Session, job_id: int, attempt: int, progress: tuple[float, float, str]) -> None:
    """Note how far a handler says it is; a late attempt changes nothing."""
    done, total, message = progress
    values = {"of_job": job_id, "of_attempt": attempt, "done": done, "total": total, "message": message[:200]}
    session.execute(statements.SAVE_PROGRESS, values)


def finish(session: Session, end: Finish, settings: Settings) -> Finish | None:
    """Write the end of an attempt and give what was written; None if the attempt is no longer believed.

    A cancel may have been asked for that no launcher has seen: then there is no next attempt.
    Jobs that wait for this one are released or cancelled with it.
    """
    written = _finished(session, end, settings)
    if written is not None:
        _settle(session, [written])
    return written


def finish_all(session: Session, ends: Sequence[Finish], settings: Settings) -> list[Finish]:
    """Write the ends of many attempts as `finish` does; those that are believed are given back."""
    if not ends:
        return []
    completed = [end for end in ends if _is_plain(end)]
    final = [end for end in ends if end.status != "pending" and not _is_plain(end)]
    others = [end for end in ends if end.status == "pending"]
    with session.begin_nested() as savepoint:
        is_whole = _written(session, completed, settings) and _written(session, final, settings)
        if not is_whole:
            savepoint.rollback()
    if is_whole:
        done = [*completed, *final, *_one_by_one(session, others, settings)]
    else:
        done = _one_by_one(session, ends, settings)
    _settle(session, done)
    return done


def _one_by_one(session: Session, ends: Sequence[Finish], settings: Settings) -> list[Finish]:
    return [written for end in ends if (written := _finished(session, end, settings))]


def _finished(session: Session, end: Finish, settings: Settings) -> Finish | None:
    if _written(session, [end], settings):
        return end
    last = _last(end)
    return last if end.status == "pending" and _written(session, [last], settings) else None


def _settle(session: Session, ends: Sequence[Finish]) -> None:
    over = {end.job_id: end.status for end in ends if end.status != "pending"}
    if over:
        dependencies.settle(session, over, dt.datetime.now(dt.UTC))


def _written(session: Session, ends: Sequence[Finish], settings: Settings) -> bool:
    """Write ends of one kind in one go; True only if every one of them was believed."""
    if not ends:
        return True
    if all(map(_is_plain, ends)):
        return _completed(session, ends)
    statement = statements.AGAIN if ends[0].status == "pending" else statements.OVER
    result = session.execute(statement, [_job_values(end, settings) for end in ends])
    if result.rowcount != len(ends):  # type: ignore[attr-defined]
        return False
    session.execute(statements.END, [_attempt_values(end) for end in ends])
    return True


def _is_plain(end: Finish) -> bool:
    """Whether nothing is to be said of it but that it has completed."""
    is_silent = (end.error, end.traceback, end.signal) == (None, None, None)
    return end.status == end.outcome == "completed" and is_silent and not (end.gives_back or end.crash)


def _completed(session: Session, ends: Sequence[Finish]) -> bool:
    """Write what most jobs come to, with no more values than that takes: each costs time."""
    if (many := bulk.of(session)) is not None:
        return _completed_together(session, many, ends)
    jobs = [
        {"of_job": end.job_id, "of_attempt": end.attempt, "new_result": end.result, "at": end.finished_at}
        for end in ends
    ]
    if session.execute(statements.COMPLETED, jobs).rowcount != len(ends):  # type: ignore[attr-defined]
        return False
    attempts = [
        {
            "of_job": end.job_id,
            "of_attempt": end.attempt,
            "at": end.finished_at,
            "new_exit_code": end.exit_code,
            "cpu": end.cpu_seconds,
            "peak": end.peak_memory_bytes,
            "bytes": end.log_bytes,
            "new_pid": end.pid,
            "new_started": end.process_started,
        }
        for end in ends
    ]
    session.execute(statements.COMPLETED_ATTEMPT, attempts)
    return True


def _completed_together(session: Session, many: bulk.Bulk, ends: Sequence[Finish]) -> bool:
    jobs = [(end.job_id, end.attempt, end.result, bulk.stored(end.finished_at)) for end in ends]
    if session.execute(many.complete, {"rows": bulk.packed(jobs)}).rowcount != len(ends):  # type: ignore[attr-defined]
        return False
    attempts = [
        (
            end.job_id,
            end.attempt,
            bulk.stored(end.finished_at),
            end.exit_code,
            end.cpu_seconds,
            end.peak_memory_bytes,
            end.log_bytes,
            end.pid,
            end.process_started,
        )
        for end in ends
    ]
    session.execute(many.measure, {"rows": bulk.packed(attempts)})
    return True


def _take(
    session: Session, rows: Sequence[Any], launcher_id: str, host: str, now: dt.datetime
) -> list[Claimed]:
    if not rows:
        return []
    claimed = list(map(_claimed, rows))
    number = _taken(session, claimed, {"by": launcher_id, "host": host, "now": now})
    if number != len(claimed):
        raise RuntimeError(f"{len(claimed)} jobs were locked for a claim, {number} could be taken")
    return claimed


def _taken(session: Session, claimed: Sequence[Claimed], who: Mapping[str, Any]) -> int:
    """Make jobs ours and begin their attempts; give how many could be had."""
    if (many := bulk.of(session)) is not None:
        given = {**who, "rows": bulk.packed((each.job_id, each.attempt) for each in claimed)}
        number: int = session.execute(many.take, given).rowcount  # type: ignore[attr-defined]
        session.execute(many.begin, given)
        return number
    ids = [each.job_id for each in claimed]
    by, now = who["by"], who["now"]
    number = session.execute(statements.TAKE, {"ids": ids, "by": by, "now": now}).rowcount  # type: ignore[attr-defined]
    begun = {"launcher_id": by, "host": who["host"], "started_at": now, "outcome": "running", "log_bytes": 0}
    session.execute(
        statements.BEGIN, [{"job_id": each.job_id, "number": each.attempt, **begun} for each in claimed]
    )
    return number


def _claimed(row: Any) -> Claimed:
    """Read the columns of a claim, by their places: there are many rows."""
    job_id, attempt, class_name, method, parameters, shown, priority, timeout, used, most, crashes, _ = row
    return Claimed(
        job_id,
        attempt + 1,
        class_name,
        method,
        parameters,
        shown or parameters,
        priority,
        timeout,
        used + 1,
        most,
        crashes,
    )


def _last(end: Finish) -> Finish:
    outcome = "failed" if end.outcome == "retrying" else end.outcome
    error = f"cancelled before its next attempt; {end.error}" if end.error else "cancelled"
    return end._replace(status="cancelled", outcome=outcome, run_at=None, error=error)


def _job_values(end: Finish, settings: Settings) -> dict[str, Any]:
    values = {
        "of_job": end.job_id,
        "of_attempt": end.attempt,
        "new_error": end.error,
        "new_result": end.result,
        "gives_back": end.gives_back,
        "crash": end.crash,
    }
    if end.run_at is None:
        return values | {"new_status": end.status, "at": end.finished_at}
    rank = rank_of(end.run_at, end.priority, settings.ageing_seconds)
    return values | {"at": end.run_at, "new_rank": rank}


def _attempt_values(end: Finish) -> dict[str, Any]:
    return {
        "of_job": end.job_id,
        "of_attempt": end.attempt,
        "new_outcome": end.outcome,
        "at": end.finished_at,
        "new_error": end.error,
        "new_traceback": end.traceback,
        "new_exit_code": end.exit_code,
        "new_signal": end.signal,
        "cpu": end.cpu_seconds,
        "peak": end.peak_memory_bytes,
        "bytes": end.log_bytes,
        "new_pid": end.pid,
        "new_started": end.process_started,
    }
