"""The laws of the line: priority first, and nobody starves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.runner import store
from app.runner.backoff import rank_of
from app.runner.models import Job
from tests.runner_house import Bench, end, now

if TYPE_CHECKING:
    from collections.abc import Sequence

AGEING = 300.0

# Priority, and how many seconds a job has been due.
jobs = st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 2000)), min_size=1, max_size=12)


def put(bench: Bench, wanted: Sequence[tuple[int, int]]) -> list[int]:
    """Store jobs that have been due for so long."""
    moment = now()
    ids = []
    for priority, age in wanted:
        job = bench.enqueue(priority=priority)
        run_at = moment - dt.timedelta(seconds=age)
        with bench.write() as session:
            values = {"run_at": run_at, "rank": rank_of(run_at, priority, AGEING)}
            session.execute(update(Job).where(Job.id == job).values(values))
        ids.append(job)
    return ids


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=jobs)
def test_jobs_are_claimed_by_priority_with_age(bench: Bench, wanted: list[tuple[int, int]]) -> None:
    """A job is served as if it had come later by the ageing for each step of priority; ties by number."""
    bench.clear()
    ids = put(bench, wanted)
    apparent = {
        job: (age - (priority - 1) * AGEING) for job, (priority, age) in zip(ids, wanted, strict=True)
    }

    claimed = [each.job_id for each in bench.claim(limit=20)]

    assert sorted(ids, key=lambda job: (-apparent[job], job)) == claimed


def test_high_goes_before_low_that_came_earlier(bench: Bench) -> None:
    """Within the ageing, priority decides and not who came first."""
    low, medium, high = put(bench, [(3, 250), (2, 200), (1, 10)])

    assert [high, medium, low] == [each.job_id for each in bench.claim()]


def test_low_never_starves(bench: Bench) -> None:
    """A low job that has waited longer than the ageing of two steps goes before every newcomer."""
    low, *newcomers = put(bench, [(3, 601), (1, 0), (1, 0), (1, 0)])

    assert [low, *newcomers] == [each.job_id for each in bench.claim()]


def test_jobs_alike_go_in_the_order_they_came(bench: Bench) -> None:
    """First come, first served."""
    ids = [bench.enqueue() for _ in range(5)]

    assert ids == [each.job_id for each in bench.claim()]


def test_what_is_not_due_yet_keeps_nothing_waiting(bench: Bench) -> None:
    """A high job that is due soon comes before a low one by its rank, and is not taken instead of it."""
    soon = [bench.enqueue(priority=1, delay=60) for _ in range(3)]
    low = bench.enqueue(priority=3)

    claimed = [each.job_id for each in bench.claim(limit=1)]

    assert [low] == claimed
    assert all(bench.job(each).rank < bench.job(low).rank for each in soon)


def test_a_changed_ageing_hides_no_job(bench: Bench) -> None:
    """A job that was enqueued when the ageing was a month is due at its time, whatever the ageing is now."""
    job = bench.enqueue(priority=3)
    with bench.write() as session:
        far = rank_of(now(), 3, 86_400 * 30)
        session.execute(update(Job).where(Job.id == job).values(rank=far))

    assert [job] == [each.job_id for each in bench.claim()]


def test_what_a_person_starts_goes_first_until_it_is_retried(bench: Bench) -> None:
    """Started jobs go first, in the order they were started; after a failure each waits by its priority."""
    other, second, first = bench.enqueue(priority=1), bench.enqueue(priority=1), bench.enqueue(priority=3)
    for job in (first, second):
        with bench.write() as session:
            store.start_now(session, job, actor="ada")

    assert [first, second, other] == [each.job_id for each in bench.claim()]

    bench.finish(end(first, status="pending", run_at=now(), priority=3))
    assert 3 == bench.job(first).lane
