"""Launcher and warm parent are killed in the same instant: nobody is left to end what their jobs started."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from app.runner import groups, processes, store
from tests.launching import until

if TYPE_CHECKING:
    import subprocess

    from tests.stress.world import World

# For a new launcher to start, and to end what the dead one left.
SWEPT_SECONDS = 5.0
WITHOUT_GROUPS = "this account can make no control groups (version 2) here"


@pytest.mark.skipif(not groups.is_usable(), reason=WITHOUT_GROUPS)
@pytest.mark.parametrize("jobs_per_process", [1, 100])
def test_what_hides_from_everybody_is_found_by_its_group(world: World, jobs_per_process: int) -> None:
    """Grandchildren without parent, session or environment end before their job begins again."""
    world.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = str(jobs_per_process)
    jobs = [world.put("escape", f"e{each}", 300.0)[0] for each in range(2)]
    launcher = world.launch_slots(2)
    until(lambda: len(escaped(world)) == len(jobs), "they have escaped")
    first = escaped(world)

    killed_at_once(launcher)

    assert [True] * len(jobs) == [is_there(pid) for pid in first], "nobody is left to end them"
    second = world.launch_slots(2)
    until(lambda: not any(map(is_there, first)), "they are gone", SWEPT_SECONDS)
    until(lambda: len(escaped(world)) == 2 * len(jobs), "their jobs have begun again")
    cancelled(world, jobs)
    second.terminate()
    assert 0 == second.wait(timeout=30)
    assert [False] * 2 * len(jobs) == [is_there(pid) for pid in escaped(world)]
    assert [] == [each for each in groups.of_launchers(*launchers(world)) if not each.is_empty()]


def test_without_groups_they_are_found_by_their_mark(world: World) -> None:
    """Grandchildren in sessions of their own, which have kept their environment, are found without groups."""
    world.environment["STRESS_WITHOUT_GROUPS"] = "1"
    (job,) = world.put("stubborn", "s", 300.0)
    launcher = world.launch_slots(1)
    until(lambda: any(each.what == "ready" for each in world.witnessed()), "its children are there")
    (old,) = launchers(world)

    killed_at_once(launcher)

    world.launch_slots(1)
    until(lambda: not world.alive(old), "they are gone", SWEPT_SECONDS)
    cancelled(world, [job])


def killed_at_once(launcher: subprocess.Popen[bytes]) -> None:
    """Kill a launcher and its warm parent so that neither sees the other's end."""
    (warm_parent,) = psutil.Process(launcher.pid).children()
    for number in (signal.SIGSTOP, signal.SIGKILL):
        launcher.send_signal(number)
        warm_parent.send_signal(number)
    launcher.wait()


def cancelled(world: World, jobs: list[int]) -> None:
    """Cancel jobs and see them cancelled."""
    with world.bound.write() as session:
        for job in jobs:
            store.cancel(session, job, actor="stress")
    until(lambda: {"cancelled"} == {world.job(job)["status"] for job in jobs}, "they are cancelled")


def launchers(world: World) -> list[str]:
    """Give the launchers that have run anything."""
    return [each for (each,) in world.rows("SELECT DISTINCT launcher_id FROM background_job_attempts")]


def escaped(world: World) -> list[int]:
    """Give the processes that nobody knows of."""
    return [int(each.tag) for each in world.witnessed() if each.what == "escaped"]


def is_there(pid: int) -> bool:
    """Whether it is alive."""
    return processes.start_time(pid) is not None
