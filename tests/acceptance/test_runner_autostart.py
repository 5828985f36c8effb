"""A launcher that starts by itself: one enqueue in an application of five lines, and the job runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.launching import House, states, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENQUEUE = "from house import application, run_one; run_one()"
RUN_ONE = """
from app.runner import run_background_job
import time

def run_one():
    with application.app_context():
        run_background_job("work.Work", "noop", [1])
        begun = time.monotonic()
        run_background_job("work.Work", "noop", [2])
        print(time.monotonic() - begun)
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with the setting on, and end the launcher that nobody of us started."""
    made = House(tmp_path)
    made.environment["FLASK_RUNNER_AUTOSTART"] = "true"
    program = tmp_path / "house.py"
    program.write_text(program.read_text() + RUN_ONE)
    yield made
    for pid in launchers(made):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(is_there(pid) for pid in launchers(made)), "the launcher is gone")
    made.end()


def launchers(house: House) -> list[int]:
    """Give the processes of all launchers on record."""
    if not (house.folder / "instance" / "jobs.db").exists():
        return []
    return [pid for (pid,) in house.rows("SELECT pid FROM background_job_launchers") if is_there(pid)]


def is_there(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_enqueue_runs_by_itself(house: House) -> None:
    """Nobody has started a launcher; the enqueuing process is over at once, and its jobs run."""
    house.python("-c", ENQUEUE)

    until(lambda: house.statuses() == {"completed": 2}, "both jobs have completed")
    assert 1 == len(launchers(house))
    assert (house.folder / "logs" / "launcher.log").exists()


def test_many_who_enqueue_at_once_start_one_launcher(house: House) -> None:
    """The lock lets one of them start it; the others' jobs run there too."""
    house.python("-c", "import house; house.application.app_context().push()")
    house.flask("stats")
    command = [sys.executable, "-c", ENQUEUE]
    together = [subprocess.Popen(command, cwd=house.folder, env=house.environment) for _ in range(4)]
    for each in together:
        assert 0 == each.wait(60)

    until(lambda: house.statuses() == {"completed": 8}, "all jobs have completed")
    assert 1 == len(launchers(house))


def test_enqueueing_does_not_wait_for_it(house: House) -> None:
    """With a launcher on its way, a second enqueue costs what it always costs."""
    took = float(house.python("-c", ENQUEUE).stdout)

    assert took < 0.5


def test_a_launcher_that_was_killed_is_started_again(house: House) -> None:
    """The lock ends with its holder; the next enqueue finds it free."""
    house.python("-c", ENQUEUE)
    until(lambda: house.statuses() == {"completed": 2}, "both jobs have completed")
    lock = house.folder / "instance" / "launcher.lock"
    (pid,) = launchers(house)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_there(pid), "it is gone")
    os.utime(lock, (time.time() - 60, time.time() - 60))

    house.python("-c", ENQUEUE)

    until(lambda: house.statuses() == {"completed": 4}, "the other jobs have completed too")


def test_waiting_for_a_job_starts_a_launcher(house: House) -> None:
    """`flask jobs run --wait` has patience with one that is only starting."""
    done = house.flask("run", "work.Work", "noop", "--wait")

    assert "completed" in done.stdout
    assert {"completed"} == states(house, [1])
