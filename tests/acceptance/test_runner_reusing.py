"""Processes that are reused: what a fresh one for each job gives, they give too."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.launching import until

if TYPE_CHECKING:
    from tests.launching import House


@pytest.fixture(autouse=True)
def reusing(house: House) -> None:
    """Have each process run up to a hundred jobs."""
    house.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = "100"


def test_many_jobs_share_few_processes_and_each_completes_once(house: House) -> None:
    """No process runs more than its number of jobs, and none of them is forgotten or doubled."""
    house.enqueue("noop", count=1000)

    house.flask("work", "--drain", "--slots", "2")

    assert {"completed": 1000} == house.statuses()
    counts = house.rows("SELECT pid, count(*) FROM background_job_attempts GROUP BY pid")
    assert 1000 == sum(count for _, count in counts)
    assert max(count for _, count in counts) <= 100
    assert len(counts) <= 30
    assert [] == house.processes()
    assert [] == list((house.folder / "logs").glob("spool.*"))


def test_a_job_that_kills_its_process_takes_no_other_with_it(house: House) -> None:
    """The jobs given to the same process before and after it complete; the one to blame is poison."""
    before = house.enqueue("noop", count=40)
    (poison,) = house.enqueue("die")
    after = house.enqueue("noop", count=40)

    house.flask("work", "--drain", "--slots", "1")

    assert ("failed", 3) == (house.job(poison)["status"], house.job(poison)["attempt"])
    assert 9 == house.attempt(poison, 3)["signal"]
    assert {"completed"} == {house.job(job)["status"] for job in before + after}
    assert {1} == {house.job(job)["attempt"] for job in after}


def test_each_job_has_its_own_output_and_costs(house: House) -> None:
    """What one job prints or spends is not put to the account of another."""
    house.environment["FLASK_RUNNER_LOG_LIMIT_BYTES"] = "50000"
    (quiet,) = house.enqueue("noop")
    (flood,) = house.enqueue("flood")
    (last,) = house.enqueue("noop")
    (burning,) = house.enqueue("burn")

    house.flask("work", "--drain", "--slots", "1")

    assert ("", "") == (house.log(quiet), house.log(last))
    assert house.log(flood).endswith("[output cut here: more than 50000 bytes]\n")
    assert len(house.log(flood)) < 51_000
    assert house.attempt(quiet)["cpu_seconds"] < 0.2 <= house.attempt(burning)["cpu_seconds"]


def test_a_long_job_is_seen_running_with_log_and_progress(house: House) -> None:
    """What takes long shows its process, its output and its progress while it runs."""
    flag = house.folder / "flag"
    (job,) = house.enqueue("talk", str(flag))
    house.launch("--idle-exit", "1")

    until(lambda: house.log(job) == "first line\n", "the first line is there")
    until(lambda: house.job(job)["progress_message"] == "half way", "the progress is there")
    until(lambda: house.attempt(job)["pid"], "its process is known")
    flag.touch()

    until(lambda: house.job(job)["status"] == "completed", "the job completed")
    assert "first line\nlast line\n" == house.log(job)


def test_cancel_and_timeout_end_the_process_and_nothing_else(house: House) -> None:
    """Both end the whole tree of the job under way; the jobs behind it run in the next process."""
    (late,) = house.enqueue("sleep", 60, timeout=0.3, retries=0, priority=2)
    (stubborn,) = house.enqueue("stubborn")
    behind = house.enqueue("noop", count=5)
    house.launch("--slots", "1")
    until(lambda: "all started" in house.log(stubborn), "the job has started its children")

    house.flask("cancel", str(stubborn))

    until(lambda: house.job(stubborn)["status"] == "cancelled", "the job is cancelled", 10)
    until(lambda: {"completed"} == {house.job(job)["status"] for job in behind}, "the others completed")
    assert ("failed", "timed out after 0.3 s (ended by SIGTERM)") == (
        house.job(late)["status"],
        house.job(late)["error"],
    )
    assert len(house.processes()) <= 2, "the warm parent and its next process"


def test_what_a_job_leaves_running_is_ended_before_the_next(house: House) -> None:
    """A reused process goes on without the children of the job before."""
    (leaving,) = house.enqueue("leave_daemon")
    house.launch("--slots", "1")

    until(lambda: house.job(leaving)["status"] == "completed", "the job completed")

    assert len(house.processes()) <= 2, "the warm parent and its process"


def test_a_killed_launcher_leaves_nothing_and_loses_nothing(house: House) -> None:
    """A kill -9 in the middle of batches: no process stays, and every job completes on the next launcher."""
    house.enqueue("sleep", 0.005, count=400)
    launcher = house.launch("--slots", "2")
    until(lambda: house.statuses().get("completed", 0) >= 20, "some jobs completed")

    launcher.send_signal(signal.SIGKILL)
    launcher.wait()

    until(lambda: not house.processes(), "no process is left", 5)
    house.flask("work", "--drain")
    assert {"completed": 400} == house.statuses()


def test_a_stopped_launcher_gives_back_what_it_has_not_begun(house: House) -> None:
    """SIGTERM: the job under way may end, the rest of the batch goes back with its attempts."""
    jobs = house.enqueue("sleep", 0.3, count=8)
    launcher = house.launch("--slots", "1")
    until(lambda: house.job(jobs[0])["status"] == "running", "the first job runs")

    os.kill(launcher.pid, signal.SIGTERM)

    assert 0 == launcher.wait(timeout=20)
    assert {"completed", "pending"} >= set(house.statuses())
    assert {0} == {house.job(job)["attempts_used"] for job in jobs if house.job(job)["status"] == "pending"}
    assert [] == house.processes()
