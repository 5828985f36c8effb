"""The laws of attempts: claimed once, believed once, finished once."""

from __future__ import annotations

import datetime as dt
import threading
from itertools import product
from typing import TYPE_CHECKING

import pytest

from app.runner import store
from app.runner.backoff import rank_of
from app.runner.models import FINAL_STATUSES, Attempt, Event, Job
from app.runner.store.attempts import claim_one
from tests.runner_house import HOST, LAUNCHER, STATES, Bench, changes, end, new_events, now

if TYPE_CHECKING:
    from app.runner.store import Claimed

RUNNING = ("running", "cancelling")
CLAIMABLE = ("pending",)
# By hand, a job need not be due.
CLAIMABLE_BY_NUMBER = ("pending", "scheduled", "retrying")
ENDS = ("completed", "failed", "cancelled", "pending")


def claim_by_number(bench: Bench, job: int) -> Claimed | None:
    """Claim one job, due or not."""
    with bench.write() as session:
        return claim_one(session, job, LAUNCHER, HOST)


@pytest.mark.parametrize("state", STATES)
def test_only_what_is_due_and_free_is_claimed(bench: Bench, state: str) -> None:
    """A launcher takes pending jobs whose time has come and that nobody holds, and no others."""
    job = bench.job_in(state)
    before = bench.snapshot()

    claimed = bench.claim()

    assert ([job] if state in CLAIMABLE else []) == [each.job_id for each in claimed]
    assert (state not in CLAIMABLE) == (before == bench.snapshot())


@pytest.mark.parametrize("state", STATES)
def test_a_job_run_by_hand_must_be_pending_and_not_held(bench: Bench, state: str) -> None:
    """By its number a job is claimed before its time, but never while it is held, running or finished."""
    job = bench.job_in(state)
    before = bench.snapshot()

    claimed = claim_by_number(bench, job)

    assert (state in CLAIMABLE_BY_NUMBER) == (claimed is not None)
    assert (claimed is None) == (before == bench.snapshot())


def test_a_claim_is_one_more_attempt_on_record(bench: Bench) -> None:
    """A claimed job runs under its launcher, its attempt is a row of its own, and no event is left."""
    job = bench.enqueue()
    before = bench.snapshot()

    (claimed,) = bench.claim()

    after = bench.snapshot()
    changed = changes(before, after)
    row = changed.pop((Job.__tablename__, job))
    assert ("running", 1, 1, LAUNCHER) == tuple(
        row.pop(name) for name in ("status", "attempt", "attempts_used", "launcher_id")
    )
    assert {"started_at"} == row.keys()
    (attempt,) = changed.values()
    assert (job, 1, "running", LAUNCHER, HOST, None) == tuple(
        attempt[name] for name in ("job_id", "number", "outcome", "launcher_id", "host", "finished_at")
    )
    assert (job, 1, 1) == (claimed.job_id, claimed.attempt, claimed.attempts_used)
    assert [] == new_events(before, after)


def test_a_claim_clears_what_the_last_attempt_had_reached(bench: Bench) -> None:
    """The bar of a new attempt begins empty."""
    job = bench.job_in("running")
    with bench.write() as session:
        store.save_progress(session, job, 1, (5, 10, "half way"))
    bench.finish(end(job, status="pending", run_at=now()))

    bench.claim()

    found = bench.job(job)
    assert (None, None, None) == (found.progress_done, found.progress_total, found.progress_message)


def test_a_claim_takes_no_more_than_there_is_room_for(bench: Bench) -> None:
    """A batch is as large as the free slots; who claims next gets the next ones."""
    jobs = [bench.enqueue() for _ in range(5)]

    taken = [[each.job_id for each in bench.claim(limit)] for limit in (2, 2, 2)]

    assert [jobs[:2], jobs[2:4], jobs[4:]] == taken


def test_launchers_that_claim_at_once_never_share_a_job(bench: Bench) -> None:
    """However many launchers claim, each job is taken by one of them, and none is left."""
    jobs = {bench.enqueue() for _ in range(12)}
    taken: list[int] = []
    gate = threading.Barrier(3)

    def launch(name: str) -> None:
        gate.wait(timeout=10)
        while claimed := bench.claim(2, launcher=name):
            taken.extend(each.job_id for each in claimed)

    launchers = [threading.Thread(target=launch, args=(f"launcher{number}",)) for number in range(3)]
    for each in launchers:
        each.start()
    for each in launchers:
        each.join(timeout=30)

    assert sorted(jobs) == sorted(taken)


@pytest.mark.parametrize(
    ("state", "status"), [*product(["running"], ENDS), *product(["cancelling"], FINAL_STATUSES)]
)
def test_the_attempt_that_runs_is_believed(bench: Bench, state: str, status: str) -> None:
    """The end of the running attempt is written to job and attempt, frees the launcher, leaves no event."""
    job = bench.job_in(state)
    before = bench.snapshot()
    run_at = now() if status == "pending" else None

    is_believed = bench.finish(end(job, status=status, run_at=run_at, error="said so", exit_code=3))

    found = bench.job(job)
    assert is_believed
    assert (status, None, "said so") == (found.status, found.launcher_id, found.error)
    assert (status == "pending") == (found.finished_at is None)
    assert [] == new_events(before, bench.snapshot())
    with bench.read() as session:
        (attempt,) = session.get_one(Job, job).attempts
    assert attempt.outcome == ("retrying" if status == "pending" else status)
    assert ("said so", 3) == (attempt.error, attempt.exit_code)
    assert attempt.finished_at is not None


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("state", [state for state in STATES if state not in RUNNING])
def test_nothing_ends_that_does_not_run(bench: Bench, state: str, status: str) -> None:
    """A report about a job that is not running is refused, whatever it says, and changes nothing."""
    job = bench.job_in(state)
    number = bench.job(job).attempt
    before = bench.snapshot()

    is_believed = bench.finish(end(job, number, status=status, run_at=now() if status == "pending" else None))

    assert not is_believed
    assert before == bench.snapshot()


@pytest.mark.parametrize("number", [0, 1, 3], ids=["none", "late", "ahead"])
@pytest.mark.parametrize("state", RUNNING)
def test_a_writer_with_another_attempt_number_changes_nothing(bench: Bench, state: str, number: int) -> None:
    """The attempt number is the fencing token: late finishes and late progress are refused."""
    job = bench.job_in("retrying")
    claim_by_number(bench, job)
    if state == "cancelling":
        with bench.write() as session:
            store.cancel(session, job, actor="bob")
    before = bench.snapshot()

    is_believed = bench.finish(end(job, number))
    with bench.write() as session:
        store.save_progress(session, job, number, (1, 2, "late"))

    assert not is_believed
    assert before == bench.snapshot()


def test_an_attempt_ends_once(bench: Bench) -> None:
    """Of two ends of one attempt the first is written and the second refused."""
    job = bench.job_in("running")
    assert bench.finish(end(job, result='"first"'))

    assert not bench.finish(end(job, status="failed", error="second"))

    assert ("completed", '"first"', None) == (
        bench.job(job).status,
        bench.job(job).result,
        bench.job(job).error,
    )


def test_an_attempt_from_before_a_retry_is_late(bench: Bench) -> None:
    """Numbers go on after a person's retry, so the ghost of an old attempt cannot end the new one."""
    job = bench.job_in("failed")
    with bench.write() as session:
        store.retry(session, job, actor="ada")
    bench.claim()

    assert not bench.finish(end(job, 1))
    assert bench.finish(end(job, 2))


def test_the_end_of_one_job_is_no_other_jobs_end(bench: Bench) -> None:
    """A finish touches the one job and the one attempt that it names."""
    job, other = bench.job_in("running"), bench.job_in("running")
    before = bench.snapshot()

    bench.finish(end(job))

    touched = changes(before, bench.snapshot())
    assert {Job.__tablename__, Attempt.__tablename__} == {table for table, _ in touched}
    assert 2 == len(touched)
    assert "running" == bench.job(other).status


def test_a_failure_is_tried_again_at_its_time_and_in_its_rank(bench: Bench) -> None:
    """A retry waits until its run_at, and stands in line from then on by its priority."""
    job = bench.job_in("running", priority=3)
    run_at = now() + dt.timedelta(seconds=90)

    bench.finish(end(job, status="pending", run_at=run_at, priority=3))

    found = bench.job(job)
    assert run_at == found.run_at
    assert rank_of(run_at, 3, bench.settings.ageing_seconds) == found.rank
    assert [] == bench.claim()


@pytest.mark.parametrize(
    ("gives_back", "crash", "used", "crashes"), [(0, 0, 1, 0), (1, 0, 0, 0), (1, 1, 0, 1)]
)
def test_an_attempt_that_was_not_the_jobs_fault_is_given_back(
    bench: Bench, gives_back: int, crash: int, used: int, crashes: int
) -> None:
    """Shutdowns and crashes cost no attempt of the budget; crashes are counted on their own."""
    job = bench.job_in("running")

    bench.finish(end(job, status="pending", run_at=now(), gives_back=gives_back, crash=crash))

    assert (used, crashes) == (bench.job(job).attempts_used, bench.job(job).crashes)


@pytest.mark.parametrize("outcome", ["retrying", "timed_out", "crashed", "interrupted"])
def test_a_wish_to_cancel_is_never_lost(bench: Bench, outcome: str) -> None:
    """A cancel that comes in the last moment of an attempt means that there is no next one."""
    job = bench.job_in("cancelling")
    it_broke = end(job, status="pending", outcome=outcome, run_at=now(), error="it broke")

    written = bench.finish(it_broke)

    assert written is not None
    assert ("cancelled", None) == (written.status, written.run_at)
    found = bench.job(job)
    assert ("cancelled", "cancelled before its next attempt; it broke") == (found.status, found.error)
    assert [] == bench.claim()
    with bench.read() as session:
        (attempt,) = session.get_one(Job, job).attempts
    assert attempt.outcome == ("failed" if outcome == "retrying" else outcome)


def test_the_process_of_an_attempt_is_noted(bench: Bench) -> None:
    """Pid and start time name the process of the attempt, for whoever has to end it."""
    job = bench.job_in("running")

    with bench.write() as session:
        store.save_process(session, job, 1, 4711, 12.5)

    with bench.read() as session:
        (attempt,) = session.get_one(Job, job).attempts
    assert (4711, 12.5) == (attempt.pid, attempt.process_started)


def test_progress_is_seen_while_the_job_runs(bench: Bench) -> None:
    """What a handler reports stands in the job's row; a long message is cut."""
    job = bench.job_in("running")

    with bench.write() as session:
        store.save_progress(session, job, 1, (3, 4, "m" * 500))

    found = bench.job(job)
    assert (3, 4, "m" * 200) == (found.progress_done, found.progress_total, found.progress_message)


def test_a_finished_job_frees_its_unique_key(bench: Bench) -> None:
    """The key is held until the job is finished, and not any longer."""
    job = bench.job_in("running", unique_key="report")
    assert job == bench.enqueue(unique_key="report")

    bench.finish(end(job))

    assert job != bench.enqueue(unique_key="report")


def test_an_attempt_leaves_no_event(bench: Bench) -> None:
    """Events are what people and rescue did; a run that needs neither has none."""
    bench.finish(end(bench.job_in("running")))

    assert [] == [row for (table, _), row in bench.snapshot().items() if table == Event.__tablename__]
