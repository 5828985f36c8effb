"""The laws of pruning: what is old and finished goes with all its history, nothing else does."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from app.runner import store
from app.runner.models import FINAL_STATUSES, Attempt, Event, Job
from tests.runner_house import STATES, Bench, now

MONTH = dt.timedelta(days=30)


def prune(bench: Bench, *, age: dt.timedelta = MONTH, limit: int = 500) -> int:
    """Delete what finished longer ago than that."""
    with bench.write() as session:
        return len(store.prune(session, before=now() - age, limit=limit))


def finished(bench: Bench, ago: dt.timedelta, state: str = "completed") -> int:
    """Give a job that finished so long ago."""
    job = bench.job_in(state)
    with bench.write() as session:
        session.execute(update(Job).where(Job.id == job).values(finished_at=now() - ago))
    return job


@pytest.mark.parametrize("state", FINAL_STATUSES)
def test_an_old_job_goes_with_its_attempts_and_events(bench: Bench, state: str) -> None:
    """Nothing of a pruned job is left in any table."""
    job = finished(bench, 2 * MONTH, state)
    with bench.write() as session:
        session.add(Event(job_id=job, at=now(), actor="ada", name="held", before="pending", after="held"))

    assert 1 == prune(bench)

    assert {} == bench.snapshot()


@pytest.mark.parametrize("state", FINAL_STATUSES)
def test_a_job_that_finished_lately_stays(bench: Bench, state: str) -> None:
    """Retention counts from the end of a job, and until it is over nothing is deleted."""
    finished(bench, MONTH - dt.timedelta(minutes=1), state)
    before = bench.snapshot()

    assert 0 == prune(bench)

    assert before == bench.snapshot()


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINAL_STATUSES])
def test_an_unfinished_job_is_never_pruned(bench: Bench, state: str) -> None:
    """However old it is, a job that is not finished is kept."""
    job = bench.job_in(state)
    with bench.write() as session:
        session.execute(update(Job).where(Job.id == job).values(created_at=now() - 100 * MONTH))
    before = bench.snapshot()

    assert 0 == prune(bench, age=-MONTH)

    assert before == bench.snapshot()


def test_pruning_goes_in_steps(bench: Bench) -> None:
    """A step deletes so many at most, the oldest first, so that other writers get in between."""
    jobs = [finished(bench, 2 * MONTH) for _ in range(3)]

    assert 2 == prune(bench, limit=2)
    assert {jobs[2]} == {key for table, key in bench.snapshot() if table == Job.__tablename__}

    assert 1 == prune(bench, limit=2)
    assert 0 == prune(bench, limit=2)


def test_a_number_is_never_used_again(bench: Bench) -> None:
    """A log or an event that speaks of job 7 never comes to speak of another job."""
    last = finished(bench, 2 * MONTH)
    prune(bench)

    assert last < bench.enqueue()


def test_the_database_itself_takes_the_history_along(bench: Bench) -> None:
    """Attempts and events cannot outlive their job, not even when it is deleted by hand."""
    job = bench.job_in("cancelling")

    with bench.write() as session:
        session.execute(Job.__table__.delete().where(Job.id == job))  # type: ignore[attr-defined]

    assert {Attempt.__tablename__, Event.__tablename__}.isdisjoint(table for table, _ in bench.snapshot())
