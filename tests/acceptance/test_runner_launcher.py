"""The launcher as an operator meets it: real processes, really killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.launching import until

if TYPE_CHECKING:
    from tests.launching import House


def test_a_thousand_jobs_each_complete_once(house: House) -> None:
    """Every job that was enqueued runs, and runs once."""
    house.enqueue("noop", count=1000)

    house.flask("work", "--drain")

    assert {"completed": 1000} == house.statuses()
    assert [(1000, 1)] == house.rows("SELECT count(*), max(number) FROM background_job_attempts")
    assert [] == house.processes()


def test_killed_children_and_a_killed_launcher_lose_no_job(house: House) -> None:
    """Kill -9 of job processes and of the launcher in the middle of the work: all jobs still complete."""
    house.enqueue("sleep", 0.05, count=60)
    launcher = house.launch("--slots", "4")
    for _ in range(3):
        _kill_a_job_process(house)
    until(lambda: house.statuses().get("completed", 0) >= 10, "some jobs completed")
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    until(lambda: not house.processes(), "no process is left of the killed launcher", 5)

    house.flask("work", "--drain")

    assert {"completed": 60} == house.statuses()
    assert [] == house.processes()
    assert [] == house.rows("SELECT id FROM background_job_attempts WHERE outcome = 'running'")


def test_jobs_of_a_killed_launcher_run_again_on_another(house: House) -> None:
    """A launcher that goes on takes over the jobs of one that was killed, and says so in an event."""
    (job,) = house.enqueue("sleep", 6)
    first = house.launch()
    until(lambda: house.job(job)["status"] == "running", "the first launcher runs the job")
    house.launch()
    until(
        lambda: len(house.rows("SELECT id FROM background_job_launchers")) == 2,
        "the second launcher is there",
    )

    first.send_signal(signal.SIGKILL)

    until(lambda: house.job(job)["status"] == "completed", "the second launcher completed it")
    assert 2 == house.job(job)["attempt"]
    assert "crashed" == house.attempt(job, 1)["outcome"]
    events = house.rows("SELECT actor, name, before, after FROM background_job_events")
    assert [("rescue", "rescued", "running", "pending")] == events
    lines = (house.folder / "logs" / "background_jobs.log").read_text(encoding="utf-8")
    assert f'Job {job} crashed: work.Work@sleep {{"parameters":"[6]","error":"its launcher died"' in lines


def test_a_killed_warm_parent_is_replaced(house: House) -> None:
    """Kill -9 of the warm parent takes its jobs with it; they run again, and nothing else is lost."""
    (job,) = house.enqueue("stubborn", timeout=2, retries=0)
    launcher = house.launch("--idle-exit", "2")
    until(lambda: "all started" in house.log(job), "the job has started its children")

    os.kill(_warm_parent_of(launcher.pid), signal.SIGKILL)

    until(lambda: house.job(job)["status"] == "failed", "the second attempt timed out")
    assert "crashed" == house.attempt(job, 1)["outcome"]
    assert "timed_out" == house.attempt(job, 2)["outcome"]
    assert 0 == launcher.wait(timeout=20)
    assert [] == house.processes()


def test_cancel_ends_the_whole_tree_before_it_says_so(house: House) -> None:
    """A cancelled job has no process: no child that ignores SIGTERM, no grandchild in its own session."""
    (job,) = house.enqueue("stubborn")
    house.launch()
    until(lambda: "all started" in house.log(job), "the job has started its children")
    until(lambda: len(house.at_work()) >= 3, "job, child and grandchild are there")

    house.flask("cancel", str(job))
    until(lambda: house.job(job)["status"] == "cancelled", "the job is cancelled", 10)

    assert [] == house.at_work()
    assert house.job(job)["error"].endswith("its processes were ended by SIGKILL")
    assert "cancelled" == house.attempt(job)["outcome"]


def test_a_completed_job_leaves_no_process(house: House) -> None:
    """What a job started and left behind is ended with it."""
    (job,) = house.enqueue("leave_daemon")
    house.launch()

    until(lambda: house.job(job)["status"] == "completed", "the job completed")

    assert [] == house.at_work()


def test_poison_fails_at_the_third_crash_and_holds_nobody_up(house: House) -> None:
    """A job that kills its process each time fails after three crashes; others go on."""
    (poison,) = house.enqueue("die")
    others = house.enqueue("noop", count=5)

    house.flask("work", "--drain", "--slots", "1")

    assert "failed" == house.job(poison)["status"]
    assert 3 == house.job(poison)["attempt"]
    assert 9 == house.attempt(poison, 3)["signal"]
    assert all(house.job(job)["status"] == "completed" for job in others)


def test_a_timeout_ends_the_attempt_and_the_job_is_tried_again(house: House) -> None:
    """An attempt that takes too long is ended and counts as a failure."""
    (job,) = house.enqueue("sleep", 60, timeout=0.3, retries=1, priority=2)

    house.flask("work", "--drain")

    assert "failed" == house.job(job)["status"]
    assert ["timed_out", "timed_out"] == [house.attempt(job, n)["outcome"] for n in (1, 2)]
    assert "timed out after 0.3 s (ended by SIGTERM)" == house.job(job)["error"]


def test_a_stopped_launcher_gives_back_what_it_interrupts(house: House) -> None:
    """SIGTERM: what does not end within the grace period is given back with its attempt."""
    (job,) = house.enqueue("sleep", 60)
    launcher = house.launch()
    until(lambda: house.job(job)["status"] == "running", "the job runs")

    launcher.terminate()

    assert 0 == launcher.wait(timeout=20)
    assert ("pending", 0) == (house.job(job)["status"], house.job(job)["attempts_used"])
    assert "interrupted" == house.attempt(job)["outcome"]
    assert [] == house.rows("SELECT id FROM background_job_launchers")
    assert [] == house.processes()


def test_a_stopped_launcher_lets_short_jobs_end(house: House) -> None:
    """SIGTERM: what ends within the grace period completes, and nothing new begins."""
    house.environment["FLASK_RUNNER_GRACE_SECONDS"] = "20"
    running, waiting = house.enqueue("sleep", 1, count=2)
    launcher = house.launch("--slots", "1")
    until(lambda: house.job(running)["status"] == "running", "the job runs")

    launcher.terminate()

    assert 0 == launcher.wait(timeout=20)
    assert "completed" == house.job(running)["status"]
    assert "pending" == house.job(waiting)["status"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_both_ways_to_start_run_the_same_program(house: House, method: str) -> None:
    """Forked or spawned, a job's process shows in `ps` as what it runs, and does the same."""
    house.environment["FLASK_RUNNER_START_METHOD"] = method
    (titled,) = house.enqueue("title")
    (failing,) = house.enqueue("abort")

    house.flask("work", "--drain")

    assert house.job(titled)["result"].strip('"').endswith(f"-m app.runner.exec {titled}")
    assert ("failed", "there is no point") == (house.job(failing)["status"], house.job(failing)["error"])
    assert "Abort: there is no point" in house.attempt(failing)["traceback"]


def test_output_and_progress_can_be_read_while_the_job_runs(house: House) -> None:
    """What a job prints, and how far it says it is, is there before it ends."""
    flag = house.folder / "flag"
    (job,) = house.enqueue("talk", str(flag))
    house.launch("--idle-exit", "1")

    until(lambda: house.log(job) == "first line\n", "the first line is there")
    until(lambda: house.job(job)["progress_message"] == "half way", "the progress is there")
    assert "running" == house.job(job)["status"]
    flag.touch()

    until(lambda: house.job(job)["status"] == "completed", "the job completed")
    assert "first line\nlast line\n" == house.log(job)
    assert len("first line\nlast line\n") == house.attempt(job)["log_bytes"]


def test_output_is_capped_with_a_marker(house: House) -> None:
    """A flood is cut at the limit, and says so; the job goes on."""
    house.environment["FLASK_RUNNER_LOG_LIMIT_BYTES"] = "50000"
    (job,) = house.enqueue("flood")

    house.flask("work", "--drain")

    assert "completed" == house.job(job)["status"]
    assert house.log(job).endswith("[output cut here: more than 50000 bytes]\n")
    assert len(house.log(job)) < 51_000


def test_an_attempt_knows_what_it_cost(house: House) -> None:
    """CPU seconds, peak memory, pid and exit code of each attempt are stored."""
    (job,) = house.enqueue("burn")

    house.flask("work", "--drain")

    attempt = house.attempt(job)
    assert 0.2 <= attempt["cpu_seconds"] < 20
    assert 60_000_000 <= attempt["peak_memory_bytes"] < 600_000_000
    assert (0, None) == (attempt["exit_code"], attempt["signal"])
    assert attempt["pid"] > 1
    assert attempt["process_started"] > 0


def test_high_priority_goes_first_and_retries_are_counted(house: House) -> None:
    """With one slot, jobs start in the order of their priorities; Retry uses attempts up."""
    (low,) = house.enqueue("noop", priority=3)
    (high,) = house.enqueue("noop", priority=1)
    (retried,) = house.enqueue("retry_soon", retries=2, priority=2)

    house.flask("work", "--drain", "--slots", "1")

    started = [job for (job,) in house.rows("SELECT job_id FROM background_job_attempts ORDER BY id")]
    assert [high, retried] == started[:2]
    assert started.index(low) > 1
    assert ("completed", 3, "3") == tuple(
        house.job(retried)[name] for name in ("status", "attempt", "result")
    )


def test_a_delayed_job_waits(house: House) -> None:
    """A delay is kept."""
    (job,) = house.enqueue("noop", delay=1.5)

    house.flask("work", "--drain")

    (waited,) = house.rows(
        "SELECT (julianday(started_at) - julianday(created_at)) * 86400 FROM background_jobs WHERE id = ?",
        job,
    )[0]
    assert waited >= 1.499


def _kill_a_job_process(house: House) -> None:
    """Kill the process of whichever job is seen running, if it still is."""
    query = "SELECT pid FROM background_job_attempts WHERE outcome = 'running' AND pid IS NOT NULL"
    until(lambda: house.rows(query), "a job runs")
    for (pid,) in house.rows(query)[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _warm_parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123 - not a file on disk
        return int(file.read().split()[0])


def test_a_launcher_that_may_leave_does_not_stay_for_a_database_that_is_gone(house: House) -> None:
    """Its folder deleted, the time without it is time without work: it ends, and says why in one line."""
    launcher = house.launch("--idle-exit", "1")
    until(lambda: _launchers(house) == 1, "the launcher is there")

    shutil.rmtree(house.folder / "instance")

    assert 1 == launcher.wait(timeout=30)
    (line,) = [each for each in house.said() if each.startswith("Error: ")]
    assert "Error: the database has been away for 1 s, and there is no other work" == line


def _launchers(house: House) -> int:
    """Count launchers, before there is a table for them too."""
    with contextlib.suppress(sqlite3.OperationalError):
        return len(house.rows("SELECT id FROM background_job_launchers"))
    return 0
