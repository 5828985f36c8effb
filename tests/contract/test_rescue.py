"""The laws of rescue: what a dead launcher leaves behind is given back, counted, or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.runner import store
from app.runner.models import Job, LauncherRow
from tests.runner_house import LAUNCHER, STATES, Bench, end, new_events, now

if TYPE_CHECKING:
    from app.runner.store import Finish

RUNNING = ("running", "cancelling")


def launcher(bench: Bench, name: str = LAUNCHER) -> None:
    """Put a launcher on record."""
    with bench.write() as session:
        row = LauncherRow(id=name, host="ithaca", boot_id="boot", pid=42, process_started=1.0, slots=2)
        row.started_at = row.heartbeat_at = now()
        store.register(session, row)


def rescue(bench: Bench, name: str = LAUNCHER) -> list[Finish]:
    """Give up a launcher for dead."""
    with bench.write() as session:
        return store.rescue(session, name, bench.settings)


def crashed(bench: Bench, times: int) -> int:
    """Give a running job whose process has crashed so many times."""
    job = bench.job_in("running")
    for number in range(1, times + 1):
        bench.finish(
            end(job, number, status="pending", outcome="crashed", run_at=now(), gives_back=1, crash=1)
        )
        bench.claim()
    return job


def test_a_job_of_a_dead_launcher_is_given_back_with_its_attempt(bench: Bench) -> None:
    """It is due at once, its budget is whole again, and its crash is counted."""
    job = bench.job_in("running")

    (said,) = rescue(bench)

    found = bench.job(job)
    assert ("pending", 0, 1, 1) == (found.status, found.attempts_used, found.attempt, found.crashes)
    assert ("pending", "crashed", "its launcher died") == (said.status, said.outcome, said.error)
    assert [2] == [each.attempt for each in bench.claim()]


@pytest.mark.parametrize(
    ("state", "status", "outcome"),
    [("running", "pending", "crashed"), ("cancelling", "cancelled", "cancelled")],
)
def test_a_rescue_leaves_one_event(bench: Bench, state: str, status: str, outcome: str) -> None:
    """Rescue signs what it did, with before and after; a wish to cancel is granted."""
    job = bench.job_in(state)
    before = bench.snapshot()

    rescue(bench)

    (event,) = new_events(before, bench.snapshot())
    assert (job, "rescue", "rescued", "running", status) == tuple(
        event[name] for name in ("job_id", "actor", "name", "before", "after")
    )
    assert "its launcher died" in event["note"]
    with bench.read() as session:
        found = session.get_one(Job, job)
        assert (status, [outcome]) == (found.status, [each.outcome for each in found.attempts])


@pytest.mark.parametrize(("crashes", "status"), [(0, "pending"), (1, "pending"), (2, "failed")])
def test_the_third_crash_is_the_last(bench: Bench, crashes: int, status: str) -> None:
    """A job that takes down what runs it is poison: it fails at the third crash, not before."""
    job = crashed(bench, crashes)

    (said,) = rescue(bench)

    assert (status, crashes + 1) == (bench.job(job).status, bench.job(job).crashes)
    assert (status == "failed") == ("crash 3 is the last" in (said.error or ""))


def test_a_retry_forgives_crashes(bench: Bench) -> None:
    """A person who retries a poisoned job gives it three more."""
    job = crashed(bench, 2)
    rescue(bench)

    with bench.write() as session:
        store.retry(session, job, actor="ada")

    assert 0 == bench.job(job).crashes


@pytest.mark.parametrize("state", [state for state in STATES if state not in RUNNING])
def test_only_what_ran_is_rescued(bench: Bench, state: str) -> None:
    """Jobs that did not run under the dead launcher stay as they are."""
    bench.job_in(state)
    before = bench.snapshot()

    assert [] == rescue(bench)

    assert before == bench.snapshot()


def test_the_jobs_of_the_living_are_left_alone(bench: Bench) -> None:
    """Rescue takes the jobs of the launcher it was told of, and strikes off only that one."""
    launcher(bench, "dead")
    launcher(bench, "alive")
    job = bench.job_in("running")
    before = bench.snapshot()

    assert [] == rescue(bench, "dead")

    after = bench.snapshot()
    assert ["background_job_launchers"] == [table for table, _ in before.keys() - after.keys()]
    assert "running" == bench.job(job).status


def test_a_second_rescue_finds_nothing(bench: Bench) -> None:
    """Whoever comes second, of two that saw the same launcher dead, changes nothing."""
    bench.job_in("running")
    rescue(bench)
    before = bench.snapshot()

    assert [] == rescue(bench)

    assert before == bench.snapshot()


def test_the_ghost_of_a_rescued_attempt_is_refused(bench: Bench) -> None:
    """A launcher that was thought dead and reports after all is not believed any more."""
    job = bench.job_in("running")
    rescue(bench)

    assert not bench.finish(end(job, 1, result='"late"'))
    bench.claim()
    assert not bench.finish(end(job, 1, result='"later"'))

    assert ("running", None) == (bench.job(job).status, bench.job(job).result)


def test_a_launcher_that_was_given_up_learns_of_it(bench: Bench) -> None:
    """A heartbeat is written while one is on record, and says so when one is not."""
    launcher(bench)
    heard = bench.snapshot()["background_job_launchers", LAUNCHER]["heartbeat_at"]

    with bench.write() as session:
        assert store.beat(session, LAUNCHER, is_draining=True)
    row = bench.snapshot()["background_job_launchers", LAUNCHER]
    rescue(bench)
    with bench.write() as session:
        is_known = store.beat(session, LAUNCHER, is_draining=False)

    assert row["is_draining"]
    assert row["heartbeat_at"] > heard
    assert not is_known


def test_a_launcher_that_leaves_in_order_is_forgotten(bench: Bench) -> None:
    """Dismissing takes the one launcher off the record and nothing else."""
    launcher(bench, "leaves")
    launcher(bench, "stays")

    with bench.write() as session:
        store.dismiss(session, "leaves")

    assert {("background_job_launchers", "stays")} == bench.snapshot().keys()
