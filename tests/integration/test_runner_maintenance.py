"""Who is dead, what becomes of its jobs, and what is old enough to go."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from app.runner import maintenance, processes, store
from app.runner.logs import attempt_log_path
from app.runner.maintenance import SILENT_SECONDS, is_dead, prune_old, rescue_all
from app.runner.models import FINAL_STATUSES, Job, LauncherRow
from app.runner.settings import load_settings
from tests.runner_house import LAUNCHER, Bench, made_engine, now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Give the runner on a database of its own, as the binding of this process."""
    engine = made_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    made = Bench(engine, tmp_path)
    monkeypatch.setattr("app.runner.binding._resolve", lambda: made.bound)
    yield made
    engine.dispose()


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note whose processes were ended, and end none."""
    names: list[str] = []
    monkeypatch.setattr(maintenance, "sweep", lambda *ids: names.extend(ids))
    return names


def launcher(name: str = LAUNCHER, *, silent_seconds: float = 0, **values: object) -> LauncherRow:
    """Give the row of a launcher, by default of this very process."""
    own = {
        "host": processes.host(),
        "boot_id": processes.boot_id(),
        "pid": os.getpid(),
        "process_started": processes.start_time(os.getpid()),
    }
    heard = now() - dt.timedelta(seconds=silent_seconds)
    return LauncherRow(id=name, slots=1, started_at=heard, heartbeat_at=heard, **(own | values))


def on_record(bench: Bench, *rows: LauncherRow) -> None:
    """Store launchers."""
    with bench.write() as session:
        for row in rows:
            store.register(session, row)


def ended_pid() -> int:
    """Give the pid of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=30)
    return process.pid


@pytest.mark.parametrize("silent_seconds", [0, 10_000])
def test_on_this_machine_a_process_is_the_proof(silent_seconds: float) -> None:
    """A launcher that is alive is never taken for dead here, however busy it is."""
    assert not is_dead(launcher(silent_seconds=silent_seconds), now())


def test_on_this_machine_a_process_that_is_over_is_dead_at_once() -> None:
    """Nobody has to wait for a heartbeat where the process can be looked up."""
    assert is_dead(launcher(pid=ended_pid()), now())


def test_a_pid_alone_names_nobody() -> None:
    """Another process that got the pid of a dead launcher does not keep its jobs from being rescued."""
    assert is_dead(launcher(process_started=1.0), now())


@pytest.mark.parametrize("elsewhere", [{"host": "ithaca"}, {"boot_id": "another start of this machine"}])
@pytest.mark.parametrize(
    ("silent_seconds", "dead"), [(0, False), (SILENT_SECONDS - 5, False), (SILENT_SECONDS + 5, True)]
)
def test_elsewhere_silence_is_the_proof(
    elsewhere: dict[str, str],
    silent_seconds: float,
    dead: bool,  # noqa: FBT001 - the expected value
) -> None:
    """Of another machine, or before this one's restart, only heartbeats tell."""
    row = launcher(pid=ended_pid(), silent_seconds=silent_seconds, **elsewhere)

    assert dead == is_dead(row, now())


def test_the_jobs_of_all_dead_launchers_are_taken(bench: Bench, swept: list[str]) -> None:
    """Each dead launcher's processes are ended first, then its jobs given back; the living keep theirs."""
    taken, kept = bench.job_in("running"), bench.job_in("pending")
    bench.claim(launcher="alive")
    on_record(bench, launcher(pid=ended_pid()), launcher("alive"), launcher("own", pid=ended_pid()))

    ends = rescue_all(bench.bound, own_id="own")

    assert [taken] == [end.job_id for end in ends]
    assert ("pending", "running") == (bench.job(taken).status, bench.job(kept).status)
    assert [LAUNCHER] == swept
    rows = {key for table, key in bench.snapshot() if table == LauncherRow.__tablename__}
    assert {"alive", "own"} == rows


def test_the_jobs_of_a_launcher_on_no_record_are_taken_too(bench: Bench, swept: list[str]) -> None:
    """One that was given up for dead, and claimed more before it learned of it, leaves no job behind."""
    job, ours = bench.enqueue(), bench.enqueue()
    bench.claim(1, launcher="given-up")
    bench.claim(1, launcher="ourselves")

    (end,) = rescue_all(bench.bound, "ourselves")

    assert (job, "pending", ["given-up"]) == (end.job_id, end.status, swept)
    assert ("pending", "running") == (bench.job(job).status, bench.job(ours).status)
    assert [] == rescue_all(bench.bound, "ourselves")


def test_processes_are_ended_before_jobs_are_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second attempt can begin while a process of the first may be alive."""
    job = bench.job_in("running")
    on_record(bench, launcher(pid=ended_pid()))
    seen: list[str] = []
    monkeypatch.setattr(maintenance, "sweep", lambda *_: seen.append(bench.job(job).status))

    rescue_all(bench.bound)

    assert ["running"] == seen


def test_old_jobs_are_pruned_step_by_step_until_none_is_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is older than the retention goes with its logs, in as many steps as it takes; the rest stays."""
    old, new = [bench.job_in("completed") for _ in range(5)], bench.job_in("completed")
    long_ago = now() - dt.timedelta(days=bench.settings.retention_of("completed"), minutes=1)
    with bench.write() as session:
        session.execute(update(Job).where(Job.id.in_(old)).values(finished_at=long_ago))
    logs = {job: attempt_log_path(bench.settings.log_dir, job, 1) for job in (*old, new, new * 10)}
    for path in logs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("said")
    monkeypatch.setattr(maintenance, "PRUNE_STEP", 2)

    assert 5 == prune_old(bench.bound)

    assert {new} == {key for table, key in bench.snapshot() if table == Job.__tablename__}
    assert {new, new * 10} == {job for job, path in logs.items() if path.exists()}


def test_a_launcher_prunes_one_step_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is too old, a launcher is soon back at its heartbeat and at the jobs of the dead."""
    old = [bench.job_in("completed") for _ in range(5)]
    long_ago = now() - dt.timedelta(days=bench.settings.retention_of("completed"), minutes=1)
    with bench.write() as session:
        session.execute(update(Job).where(Job.id.in_(old)).values(finished_at=long_ago))
    monkeypatch.setattr(maintenance, "PRUNE_STEP", 2)

    assert [2, 2, 1, 0] == [maintenance.prune_some(bench.bound) for _ in range(4)]


def test_each_status_is_kept_for_its_own_time(bench: Bench) -> None:
    """Retention by status: what is not named is kept for the default."""
    settings = load_settings({"RUNNER_RETENTION_DAYS": {"completed": 7, "failed": 90}})
    bound = replace(bench.bound, settings=replace(bench.settings, retention_days=settings.retention_days))
    ages = {(state, days): bench.job_in(state) for state in FINAL_STATUSES for days in (5, 20, 40, 100)}
    with bench.write() as session:
        for (_, days), job in ages.items():
            then = now() - dt.timedelta(days=days)
            session.execute(update(Job).where(Job.id == job).values(finished_at=then))

    assert 6 == prune_old(bound)

    kept = {key for table, key in bench.snapshot() if table == Job.__tablename__}
    expected = {
        ("completed", 5),
        ("cancelled", 5),
        ("cancelled", 20),
        ("failed", 5),
        ("failed", 20),
        ("failed", 40),
    }
    assert expected == {about for about, job in ages.items() if job in kept}


def test_a_job_that_is_retried_in_between_is_not_pruned(bench: Bench) -> None:
    """What was old when it was looked for, and is waiting now, stays."""
    job = bench.job_in("failed")
    with bench.write() as session:
        store.retry(session, job, actor="eve")

    with bench.write() as session:
        assert [] == store.prune(session, before=now() + dt.timedelta(days=1), only=[job])
