"""What the end of a process means for its job."""

from __future__ import annotations

import datetime as dt
import signal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runner.outcome import decide
from app.runner.queries.words import signal_name
from app.runner.settings import MAX_DELAY_SECONDS
from app.runner.store import Claimed

if TYPE_CHECKING:
    from app.runner.store import Finish

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
DONE = {"outcome": "completed", "result": '"fine"'}
BROKE = {"outcome": "retry", "error": "E: broke", "traceback": "Traceback ...", "delay": None}
SNOOZED = BROKE | {"outcome": "snoozed", "delay": 60.0}
GAVE_UP = BROKE | {"outcome": "failed"}


def end_of(said: dict[str, Any] | None, *, by: str | None = None, **values: Any) -> Finish:
    """Decide about the first of three attempts, unless said otherwise."""
    claim: dict[str, Any] = {"attempts_used": 1, "max_attempts": 3, "crashes": 0, "timeout_seconds": 9.0}
    seen: dict[str, Any] = {"stopped": None, "stop_signal": None, "exit_code": 0, "signal": None}
    seen |= {"cpu_seconds": 0.5, "peak_memory_bytes": 1000, "log_bytes": 7, "pid": 42, "process_started": 1.0}
    claim |= {name: values.pop(name) for name in list(values) if name in claim}
    names: dict[str, Any] = {
        "class_name": "m.C",
        "method": "handle",
        "parameters": "[]",
        "shown_parameters": "[]",
    }
    claimed = Claimed(job_id=5, attempt=4, priority=2, **names, **claim)
    chance = values.pop("chance", 0.0)
    return decide(claimed, said, seen | values, cancelled_by=by, now=NOW, chance=chance)


def wait(end: Finish) -> float:
    """Give how long the job waits for its next attempt."""
    assert end.run_at is not None
    return (end.run_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("said", "by", "seen", "status", "outcome"),
    [
        (DONE, None, {}, "completed", "completed"),
        (DONE, "ada", {"stopped": "cancel", "stop_signal": 15}, "completed", "completed"),
        (DONE, None, {"stopped": "timeout", "stop_signal": 15}, "completed", "completed"),
        (DONE, None, {"signal": 9, "exit_code": None}, "completed", "completed"),
        (BROKE, None, {}, "pending", "retrying"),
        (BROKE, None, {"attempts_used": 3}, "failed", "failed"),
        (BROKE, "ada", {"stopped": "cancel", "stop_signal": 15}, "cancelled", "cancelled"),
        (BROKE, None, {"stopped": "shutdown", "stop_signal": 15}, "pending", "interrupted"),
        (GAVE_UP, None, {}, "failed", "failed"),
        (GAVE_UP, "ada", {}, "cancelled", "cancelled"),
        (SNOOZED, None, {}, "pending", "snoozed"),
        (SNOOZED, None, {"attempts_used": 3}, "pending", "snoozed"),
        (SNOOZED, "ada", {}, "cancelled", "cancelled"),
        (None, "ada", {"stopped": "cancel", "stop_signal": 9, "signal": 9}, "cancelled", "cancelled"),
        (None, "ada", {"stopped": "timeout", "stop_signal": 9, "signal": 9}, "cancelled", "cancelled"),
        (None, None, {"stopped": "shutdown", "stop_signal": 15}, "pending", "interrupted"),
        (None, None, {"stopped": "timeout", "stop_signal": 15}, "pending", "timed_out"),
        (None, None, {"stopped": "timeout", "stop_signal": 9, "attempts_used": 3}, "failed", "timed_out"),
        (None, None, {"exit_code": 3}, "pending", "crashed"),
        (None, None, {"signal": 11, "attempts_used": 3}, "pending", "crashed"),
        (None, None, {"signal": 11, "crashes": 1}, "pending", "crashed"),
        (None, None, {"signal": 11, "crashes": 2}, "failed", "crashed"),
    ],
)
def test_an_end_means_one_thing(
    said: dict[str, Any] | None, by: str | None, seen: dict[str, Any], status: str, outcome: str
) -> None:
    """Completed is completed whatever was asked; then cancel, shutdown, timeout, crash and failure."""
    end = end_of(said, by=by, **seen)

    assert (status, outcome) == (end.status, end.outcome)
    assert (status == "pending") == (end.run_at is not None)
    assert (5, 4, NOW) == (end.job_id, end.attempt, end.finished_at)


def test_what_was_measured_is_kept() -> None:
    """Processor time, memory, output and exit of the process stand with its attempt, however it ended."""
    for said in (DONE, BROKE, None):
        end = end_of(said, exit_code=None, signal=9)
        assert (0.5, 1000, 7, 42, 1.0) == (
            end.cpu_seconds,
            end.peak_memory_bytes,
            end.log_bytes,
            end.pid,
            end.process_started,
        )
        assert (None, 9) == (end.exit_code, end.signal)


@pytest.mark.parametrize(
    ("said", "seen", "gives_back", "crash"),
    [
        (DONE, {}, 0, 0),
        (BROKE, {}, 0, 0),
        (None, {"stopped": "timeout"}, 0, 0),
        (None, {"stopped": "shutdown"}, 1, 0),
        (None, {"signal": 9}, 1, 1),
    ],
)
def test_only_the_jobs_own_failures_cost_an_attempt(
    said: dict[str, Any] | None, seen: dict[str, Any], gives_back: int, crash: int
) -> None:
    """A shutdown gives the attempt back; a crash does too, and is counted on its own."""
    end = end_of(said, **seen)

    assert (gives_back, crash) == (end.gives_back, end.crash)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (0.0, 0),
        (90.0, 90),
        (-5.0, 0),
        (float("nan"), 0),
        (1e300, MAX_DELAY_SECONDS),
        (float("inf"), MAX_DELAY_SECONDS),
    ],
)
def test_a_handler_may_say_when_to_try_again(delay: float, seconds: float) -> None:
    """Its delay replaces the back-off, within what a job may wait at all; none of it can stop a launcher."""
    assert seconds == wait(end_of(BROKE | {"delay": delay}))


@given(used=st.integers(1, 500), chance=st.floats(0, 1, exclude_max=True))
def test_without_a_delay_failures_back_off(used: int, chance: float) -> None:
    """Each failure waits longer than nothing and at most the cap."""
    end = end_of(BROKE, attempts_used=used, max_attempts=1000, chance=chance)

    assert 1.0 <= wait(end) <= 900.0


def test_what_was_not_the_jobs_fault_is_tried_again_at_once() -> None:
    """After a crash or a shutdown the job is due immediately."""
    assert 0 == wait(end_of(None, signal=9)) == wait(end_of(None, stopped="shutdown"))


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (
            end_of(None, by="ada", stopped="cancel", stop_signal=15),
            "cancelled by ada; its processes were ended by SIGTERM",
        ),
        (
            end_of(BROKE, by="ada", stopped="cancel", stop_signal=9),
            "cancelled by ada; its processes were ended by SIGKILL",
        ),
        (end_of(BROKE, by="ada"), "cancelled by ada"),
        (end_of(None, stopped="timeout", stop_signal=9), "timed out after 9 s (ended by SIGKILL)"),
        (end_of(None, stopped="shutdown"), "its launcher was stopped"),
        (
            end_of(None, signal=11),
            "its process was killed by SIGSEGV before the handler came to an end (crash 1 of 3)",
        ),
        (
            end_of(None, exit_code=3, crashes=2),
            "its process ended with 3 before the handler came to an end (crash 3 of 3)",
        ),
        (end_of(BROKE), "E: broke"),
    ],
)
def test_an_end_is_a_sentence(end: Finish, sentence: str) -> None:
    """A person reads what ended the attempt: who, which signal, which crash."""
    assert sentence == end.error


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGKILL, "SIGKILL"), (0, "signal 0"), (None, "signal None"), (99, "signal 99")],
)
def test_signals_have_names(number: int | None, name: str) -> None:
    """A signal without a name is still shown."""
    assert name == signal_name(number)
