"""The laws of snoozing: a job put back by its handler has lost time, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.runner import queries, store
from app.runner.exec import Order, perform
from app.runner.models import Job
from app.runner.outcome import decide
from app.runner.settings import MAX_DELAY_SECONDS
from tests.runner_house import Bench, now


def snooze(bench: Bench, delay: float, reason: str = "") -> store.Finish:
    """Run the one job that is due, whose handler snoozes, as its process and its launcher would."""
    (claimed,) = bench.claim()
    said: dict[str, Any] = {}
    order = Order(
        job_id=claimed.job_id,
        attempt=claimed.attempt,
        class_name=claimed.class_name,
        method="snooze",
        parameters=f'[{delay}, "{reason}"]',
    )
    perform(order, bench.bound.registry, "", said.update)
    ended = {"stopped": None, "stop_signal": None}
    end = decide(claimed, said, ended, cancelled_by=None, now=now())
    written = bench.finish(end)
    assert written is not None
    return written


def make_due(bench: Bench, job: int) -> None:
    """Let the time of a job come."""
    with bench.write() as session:
        session.get_one(Job, job).run_at = now()


def test_a_snoozed_job_comes_back_later_with_all_its_attempts(bench: Bench) -> None:
    """It waits as long as it was told, no attempt is used, and nobody says that it failed."""
    job = bench.enqueue(retries=0)

    snooze(bench, 3600, "the shop is closed")

    found = bench.job(job)
    assert ("pending", 1, 0, 0) == (found.status, found.attempt, found.attempts_used, found.crashes)
    assert 3590 < (found.run_at - now()).total_seconds() <= 3600
    with bench.read() as session:
        detail = queries.get_job(session, job, now())
    assert ("scheduled", "snoozed", "the shop is closed") == (
        detail.row.state,
        detail.attempts[0].outcome,
        detail.attempts[0].error,
    )


def test_a_job_may_snooze_more_often_than_it_may_fail(bench: Bench) -> None:
    """However often it was put back, it still has its one attempt."""
    job = bench.enqueue(retries=0)
    for number in range(1, 6):
        assert "snoozed" == snooze(bench, 0).outcome
        assert (number, 0) == (bench.job(job).attempt, bench.job(job).attempts_used)

    (claimed,) = bench.claim()

    assert (6, 1, 1) == (claimed.attempt, claimed.attempts_used, claimed.max_attempts)


def test_what_waits_for_a_snoozed_job_goes_on_waiting(bench: Bench) -> None:
    """A snooze is no end."""
    job = bench.enqueue()
    dependent = bench.enqueue(after=[job])

    snooze(bench, 60)

    assert 1 == bench.job(dependent).waits_for


def test_a_cancel_comes_before_a_snooze(bench: Bench) -> None:
    """A job that somebody wants ended does not come back, whatever its handler said."""
    job = bench.enqueue()
    (claimed,) = bench.claim()
    with bench.write() as session:
        store.cancel(session, job, actor="ada")
    said = {"outcome": "snoozed", "error": None, "traceback": None, "delay": 5.0}
    end = decide(claimed, said, {"stopped": None, "stop_signal": None}, cancelled_by=None, now=now())

    bench.finish(end)

    assert ("cancelled", "cancelled") == (bench.job(job).status, bench.job(job).error)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [(-5.0, 0), (float("nan"), 0), (float("inf"), MAX_DELAY_SECONDS), (1e300, MAX_DELAY_SECONDS)],
)
def test_any_number_is_a_time_that_can_come(bench: Bench, delay: float, seconds: float) -> None:
    """What is no time at all is at once, and what is too long is as long as anything may be."""
    bench.enqueue()
    (claimed,) = bench.claim()
    said = {"outcome": "snoozed", "error": None, "traceback": None, "delay": delay}
    moment = now()

    end = decide(claimed, said, {"stopped": None, "stop_signal": None}, cancelled_by=None, now=moment)

    assert moment + dt.timedelta(seconds=seconds) == end.run_at
