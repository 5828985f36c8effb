"""The laws of unique keys that stay taken for a time, whatever became of the job."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update

from app.runner import store
from app.runner.errors import IllegalTransition, ValidationError
from app.runner.models import Job
from app.runner.settings import MAX_DELAY_SECONDS
from tests.runner_house import LAUNCHER, STATES, Bench, end

KEY = {"unique_key": "report", "unique_seconds": 3600}
FINISHED = ("completed", "failed", "cancelled")


def let_time_pass(bench: Bench, job: int) -> None:
    """Have the time of a key be over."""
    with bench.write() as session:
        over = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        session.execute(update(Job).where(Job.id == job).values(unique_until=over))


def test_the_time_counts_from_the_enqueue(bench: Bench) -> None:
    """The row says until when the key is taken; without seconds there is no such moment."""
    job = bench.job(bench.enqueue(**KEY))

    assert job.unique_until is not None
    assert 3600 == (job.unique_until - job.created_at).total_seconds()
    assert bench.job(bench.enqueue(unique_key="other")).unique_until is None


@pytest.mark.parametrize("state", STATES)
def test_the_key_stays_taken_for_its_time(bench: Bench, state: str) -> None:
    """Whatever became of the job, it is given instead of a new one until its time is over."""
    job = bench.job_in(state, **KEY)

    assert job == bench.enqueue(unique_key="report")
    assert job == bench.enqueue(**KEY)


@pytest.mark.parametrize("state", FINISHED)
def test_a_key_is_free_when_its_time_is_over(bench: Bench, state: str) -> None:
    """After that a new job takes the key, and the old one lets it go."""
    job = bench.job_in(state, **KEY)
    let_time_pass(bench, job)

    new = bench.enqueue(**KEY)

    assert new != job
    assert (None, "report") == (bench.job(job).unique_slot, bench.job(new).unique_slot)
    assert new == bench.enqueue(**KEY)


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINISHED])
def test_an_unfinished_job_keeps_its_key_beyond_its_time(bench: Bench, state: str) -> None:
    """The time is added to what a key is for anyway: one unfinished job."""
    job = bench.job_in(state, **KEY)
    let_time_pass(bench, job)

    assert job == bench.enqueue(**KEY)


@pytest.mark.parametrize("way", ["finish", "finish_all", "rescue", "cancel"])
def test_a_job_that_ends_after_its_time_frees_its_key(bench: Bench, way: str) -> None:
    """However it ends, nothing of the key is left once its time is over."""
    job = bench.job_in(
        "pending" if way == "cancel" else "cancelling" if way == "rescue" else "running", **KEY
    )
    let_time_pass(bench, job)

    end_by(bench, way, job)

    assert (None, True) == (bench.job(job).unique_slot, bench.job(job).finished_at is not None)


@pytest.mark.parametrize("way", ["finish", "finish_all", "rescue", "cancel"])
def test_a_job_that_ends_in_its_time_keeps_its_key(bench: Bench, way: str) -> None:
    """However it ends, the key is taken until its time is over."""
    job = bench.job_in(
        "pending" if way == "cancel" else "cancelling" if way == "rescue" else "running", **KEY
    )

    end_by(bench, way, job)

    assert ("report", True) == (bench.job(job).unique_slot, bench.job(job).finished_at is not None)


def end_by(bench: Bench, way: str, job: int) -> None:
    """End a job in one of the ways in which jobs end."""
    with bench.write() as session:
        if way == "finish":
            store.finish(session, end(job), bench.settings)
        elif way == "finish_all":
            store.finish_all(session, [end(job)], bench.settings)
        elif way == "rescue":
            store.rescue(session, LAUNCHER, bench.settings)
        else:
            store.cancel(session, job, actor="ada")


def test_a_job_cancelled_for_another_keeps_its_key_for_its_time(bench: Bench) -> None:
    """A cancel that comes from an ancestor is an end like any other."""
    ancestor = bench.job_in("running")
    timed = bench.enqueue(after=[ancestor], **KEY)
    plain = bench.enqueue(after=[ancestor], unique_key="plain")
    bench.finish(end(ancestor, status="failed"))
    late = bench.enqueue(after=[ancestor], unique_key="late", unique_seconds=60)

    found = [bench.job(job) for job in (timed, plain, late)]

    assert ["cancelled"] * 3 == [job.status for job in found]
    assert ["report", None, "late"] == [job.unique_slot for job in found]


def test_a_retry_is_not_in_the_way_of_a_key_whose_time_is_over(bench: Bench) -> None:
    """An older job may be retried if the finished one that has its key has it no longer by right."""
    first = bench.job_in("completed", unique_key="report")
    second = bench.job_in("completed", **KEY)
    with bench.write() as session, pytest.raises(IllegalTransition, match="another job holds its unique key"):
        store.retry(session, first, actor="ada")

    let_time_pass(bench, second)
    with bench.write() as session:
        store.retry(session, first, actor="ada")

    assert ("report", None) == (bench.job(first).unique_slot, bench.job(second).unique_slot)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unique_seconds": 5}, "there is none"),
        ({"unique_key": "k", "unique_seconds": "soon"}, "must be seconds from 0"),
        ({"unique_key": "k", "unique_seconds": -1}, "must be seconds from 0"),
        ({"unique_key": "k", "unique_seconds": float("nan")}, "must be seconds from 0"),
        ({"unique_key": "k", "unique_seconds": MAX_DELAY_SECONDS + 1}, "must be seconds from 0"),
    ],
)
def test_a_time_that_cannot_be_is_refused(bench: Bench, options: dict[str, Any], said: str) -> None:
    """Seconds that are none, or belong to no key, are named and nothing is stored."""
    before = bench.snapshot()

    with pytest.raises(ValidationError, match=said) as refused:
        bench.enqueue(**options)

    assert {"unique_seconds"} == {problem.field for problem in refused.value.problems}
    assert before == bench.snapshot()
