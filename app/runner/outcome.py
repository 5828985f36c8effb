"""What the end of a process means for its job: decided here, as a value, and written by the store."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from app.runner.backoff import retry_seconds
from app.runner.queries.words import signal_name
from app.runner.settings import MAX_DELAY_SECONDS
from app.runner.store import Claimed, Finish
from app.runner.store.launchers import MOST_CRASHES

if TYPE_CHECKING:
    from collections.abc import Mapping


def decide(
    claimed: Claimed,
    said: Mapping[str, Any] | None,
    ended: Mapping[str, Any],
    *,
    cancelled_by: str | None,
    now: dt.datetime,
    chance: float | None = None,
) -> Finish:
    """Decide an attempt's outcome and its job's next status.

    `said` is what the process reported before its end, `ended` how the end was seen. A handler that
    came to its end has completed, whatever was asked of it meanwhile; a cancel comes before a failure.
    """
    common = _measured(claimed, ended) | {"finished_at": now}
    if said is not None and said["outcome"] == "completed":
        return Finish(**common, status="completed", outcome="completed", result=said["result"])
    if cancelled_by is not None:
        return Finish(
            **common, status="cancelled", outcome="cancelled", error=_cancelled(cancelled_by, ended)
        )
    if ended["stopped"] == "shutdown":
        why = ended.get("why", "its launcher was stopped")
        back = {"outcome": "interrupted", "gives_back": 1, "run_at": now, "error": why}
        return Finish(**common | back, status="pending")
    if ended["stopped"] == "timeout":
        error = (
            f"timed out after {claimed.timeout_seconds:g} s (ended by {signal_name(ended['stop_signal'])})"
        )
        return _retry_or_fail(claimed, common, {"error": error, "outcome": "timed_out"}, None, chance)
    if said is None:
        return _crashed(claimed, common, ended)
    if said["outcome"] == "snoozed":
        return _snoozed(common, said)
    failure = {"error": said["error"], "traceback": said["traceback"], "outcome": "retrying"}
    if said["outcome"] == "failed":
        return Finish(**common | failure | {"outcome": "failed"}, status="failed")
    return _retry_or_fail(claimed, common, failure, said["delay"], chance)


def completed(
    claimed: Claimed,
    result: str | None,
    now: dt.datetime,
    cpu_seconds: float | None,
    peak_memory_bytes: int | None,
    log_bytes: int,
    pid: int | None,
    process_started: float | None,
) -> Finish:
    """Give the end of most attempts: without names, for there are many."""
    job_id, attempt, priority = claimed.job_id, claimed.attempt, claimed.priority
    return Finish(
        *(
            job_id,
            attempt,
            "completed",
            "completed",
            now,
            None,
            priority,
            result,
            None,
            None,
            0,
            0,
            None,
            None,
        ),
        cpu_seconds,
        peak_memory_bytes,
        log_bytes,
        pid,
        process_started,
    )


def _measured(claimed: Claimed, ended: Mapping[str, Any]) -> dict[str, Any]:
    names = ("exit_code", "signal", "cpu_seconds", "peak_memory_bytes", "log_bytes", "pid", "process_started")
    measured = {name: ended.get(name) for name in names}
    measured["log_bytes"] = measured["log_bytes"] or 0
    return measured | {"job_id": claimed.job_id, "attempt": claimed.attempt, "priority": claimed.priority}


def _cancelled(who: str, ended: Mapping[str, Any]) -> str:
    if ended["stop_signal"] is None:
        return f"cancelled by {who}"
    return f"cancelled by {who}; its processes were ended by {signal_name(ended['stop_signal'])}"


def _retry_or_fail(
    claimed: Claimed,
    common: dict[str, Any],
    failure: dict[str, Any],
    delay: float | None,
    chance: float | None,
) -> Finish:
    if claimed.attempts_used >= claimed.max_attempts:
        outcome = "failed" if failure["outcome"] == "retrying" else failure["outcome"]
        return Finish(**common | failure | {"outcome": outcome}, status="failed")
    usual = retry_seconds(claimed.attempts_used, chance=chance)
    run_at = _later(common["finished_at"], usual if delay is None else delay)
    return Finish(**common | failure, status="pending", run_at=run_at)


def _snoozed(common: dict[str, Any], said: Mapping[str, Any]) -> Finish:
    run_at = _later(common["finished_at"], said["delay"])
    back = {"outcome": "snoozed", "gives_back": 1, "run_at": run_at, "error": said["error"]}
    return Finish(**common | back, status="pending")


def _later(moment: dt.datetime, seconds: float) -> dt.datetime:
    """Give a moment after another; NaN and what is negative are no time at all."""
    wait = min(seconds, MAX_DELAY_SECONDS) if seconds > 0 else 0.0
    return moment + dt.timedelta(seconds=wait)


def _crashed(claimed: Claimed, common: dict[str, Any], ended: Mapping[str, Any]) -> Finish:
    count = claimed.crashes + 1
    end = (
        f"was killed by {signal_name(ended['signal'])}"
        if ended["signal"]
        else f"ended with {ended['exit_code']}"
    )
    error = f"its process {end} before the handler came to an end (crash {count} of {MOST_CRASHES})"
    crash = common | {"outcome": "crashed", "crash": 1, "gives_back": 1, "error": error}
    if count >= MOST_CRASHES:
        return Finish(**crash, status="failed")
    return Finish(**crash, status="pending", run_at=common["finished_at"])
