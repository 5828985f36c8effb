"""The laws of group commits: many ends written at once mean what they mean one by one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.runner import store
from app.runner.models import Attempt, Job
from tests.runner_house import Bench, Snapshot, end, now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.runner.store import Finish

LATER = now() + dt.timedelta(hours=1)

# What is tried with each job of a batch: the state it is in, the attempt that reports, and what it says.
tries = st.tuples(
    st.sampled_from(["running", "cancelling", "pending", "completed", "cancelled"]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["completed", "failed", "cancelled", "pending"]),
)


def finish_all(bench: Bench, ends: Sequence[Finish]) -> list[Finish]:
    """Write ends in one go."""
    with bench.write() as session:
        return store.finish_all(session, ends, bench.settings)


def ends_of(jobs: Sequence[int], tried: Sequence[tuple[str, int, str]]) -> list[Finish]:
    """Give the ends that are reported."""
    return [
        end(job, number, status, run_at=LATER if status == "pending" else None, finished_at=LATER, error="e")
        for job, (_, number, status) in zip(jobs, tried, strict=True)
    ]


def comparable(snapshot: Snapshot, jobs: Sequence[int]) -> list[Any]:
    """Give jobs and attempts without what differs between any two jobs: numbers and moments."""
    rows: dict[int, list[Any]] = {job: [] for job in jobs}
    different = {"id", "job_id", "created_at", "started_at", "rank", "run_at", "cancel_requested_at"}
    for (table, key), row in sorted(snapshot.items()):
        job = key if table == Job.__tablename__ else row.get("job_id")
        if job in rows and table in {Job.__tablename__, Attempt.__tablename__}:
            kept = {name: value for name, value in row.items() if name not in different}
            again = {"run_at": row["run_at"] == LATER} if "run_at" in row else {}
            finished = {"finished_at": row["finished_at"] == LATER}
            rows[job].append(kept | again | finished)
    return list(rows.values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tried=st.lists(tries, min_size=1, max_size=5))
def test_a_batch_means_what_its_ends_mean(bench: Bench, tried: list[tuple[str, int, str]]) -> None:
    """Believed or refused, first or last in the batch: each end has the same effect as alone."""
    bench.clear()
    together = [bench.job_in(state) for state, _, _ in tried]
    alone = [bench.job_in(state) for state, _, _ in tried]

    believed = finish_all(bench, ends_of(together, tried))
    expected = [written for each in ends_of(alone, tried) if (written := bench.finish(each))]

    after = bench.snapshot()
    assert comparable(after, alone) == comparable(after, together)
    pairs = dict(zip(alone, together, strict=True))
    assert {(pairs[each.job_id], each.status) for each in expected} == {
        (each.job_id, each.status) for each in believed
    }


@pytest.mark.parametrize("late", [0, 1, 2])
def test_one_late_writer_spoils_no_batch(bench: Bench, late: int) -> None:
    """Wherever it stands, an end that is not believed changes nothing, and all others are written."""
    jobs = [bench.job_in("running") for _ in range(3)]
    ends = [end(job, 7 if place == late else 1) for place, job in enumerate(jobs)]

    believed = finish_all(bench, ends)

    rest = [job for place, job in enumerate(jobs) if place != late]
    assert rest == sorted(each.job_id for each in believed)
    assert ["running" if place == late else "completed" for place in range(3)] == [
        bench.job(job).status for job in jobs
    ]


def test_two_ends_of_one_attempt_are_one(bench: Bench) -> None:
    """In one batch as in two, the first end of an attempt is written and the second refused."""
    job = bench.job_in("running")

    believed = finish_all(bench, [end(job, result='"first"'), end(job, status="failed", error="second")])

    assert [(job, "completed")] == [(each.job_id, each.status) for each in believed]
    assert ('"first"', None) == (bench.job(job).result, bench.job(job).error)


def test_an_empty_batch_is_nothing(bench: Bench) -> None:
    """A turn without ends writes none."""
    bench.job_in("running")
    before = bench.snapshot()

    assert [] == finish_all(bench, [])

    assert before == bench.snapshot()
