"""Processes that are forked ahead of the jobs that they will run: each is fresh, and none may do harm."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.launching import states, until

if TYPE_CHECKING:
    from tests.launching import House


def launch(house: House) -> list[int]:
    """Start a launcher that has run a job; give the processes that wait for the next ones."""
    (first,) = house.enqueue("noop")
    house.launch("--slots", "2")
    until(lambda: house.job(first)["status"] == "completed", "the first job completed")
    until(lambda: len(house.awaiting()) >= 2, "processes wait")
    return house.awaiting()


def pids(house: House, jobs: list[int]) -> set[int]:
    """Give the processes of these jobs' only attempts."""
    return {house.attempt(job)["pid"] for job in jobs}


def test_a_job_runs_in_a_process_that_was_there_before_it(house: House) -> None:
    """An order goes to a process that waits already, and it is shown as that job's from then on."""
    waiting = launch(house)

    (job,) = house.enqueue("title")
    until(lambda: house.job(job)["status"] == "completed", "the job completed")

    assert house.attempt(job)["pid"] in waiting
    assert house.job(job)["result"].strip('"').endswith(f"-m app.runner.exec {job}")


def test_every_job_has_a_process_of_its_own(house: House) -> None:
    """What waits runs one job, and is over."""
    jobs = house.enqueue("noop", count=60)

    house.flask("work", "--drain", "--slots", "2")

    assert 60 == len(pids(house, jobs))
    assert {0} == {house.attempt(job)["exit_code"] for job in jobs}


def test_waiting_processes_that_are_killed_harm_no_job(house: House) -> None:
    """Whatever happens to a process without a job is no job's crash; others take its place."""
    waiting = launch(house)
    for pid in waiting:
        os.kill(pid, signal.SIGKILL)

    jobs = house.enqueue("noop", count=20)
    until(lambda: states(house, jobs) == {"completed"}, "all completed")

    assert {(1, 0)} == {(house.job(job)["attempt"], house.job(job)["crashes"]) for job in jobs}
    until(lambda: len(house.awaiting()) >= 2, "others wait in their place")
    assert not {*house.awaiting()} & {*waiting}


def test_waiting_processes_die_with_their_warm_parent(house: House) -> None:
    """Kill -9 of the warm parent leaves nobody waiting for orders that never come."""
    waiting = launch(house)
    (warm_parent,) = {*house.processes()} - {*house.awaiting()}

    os.kill(warm_parent, signal.SIGKILL)

    until(lambda: not {*house.awaiting()} & {*waiting}, "they are gone", 5)
    (job,) = house.enqueue("noop")
    until(lambda: house.job(job)["status"] == "completed", "the next warm parent has processes of its own")
