"""A launcher that stands still for a while: a machine that was paused, or swapped to a halt."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from app.runner import store
from app.runner.dispatcher import HEARTBEAT_SECONDS
from tests.launching import until
from tests.stress import laws
from tests.stress.chaos import Tally

if TYPE_CHECKING:
    import subprocess

    from tests.stress.world import World


def test_a_launcher_that_was_paused_goes_on(world: World) -> None:
    """Here, where its process is seen to be there, a paused launcher keeps its jobs; nothing runs twice."""
    jobs = [world.put("sleep", f"s{each}", 0.5)[0] for each in range(8)]
    paused = world.launch_slots(4)
    until(lambda: len(_running(world)) == 4, "it runs jobs")
    _pause(world, paused)
    other = world.launch_slots(4)
    until(lambda: _completed(world) >= 4, "the other one does the rest")

    paused.send_signal(signal.SIGCONT)

    until(lambda: world.statuses() == {"completed": len(jobs)}, "all completed")
    assert [(8, 1)] == world.rows("SELECT count(*), max(number) FROM background_job_attempts")
    _stop_and_check(world, paused, other)


def test_a_launcher_given_up_for_dead_starts_over(world: World) -> None:
    """It ends what it had, writes nothing late, takes nothing in its old name, and works on as a new one."""
    first = [world.put("stubborn", f"a{each}", 30.0, retries=0)[0] for each in range(2)]
    short = [world.put("sleep", f"b{each}", 2.0)[0] for each in range(2)]
    paused = world.launch_slots(4)
    until(lambda: _ready(world) == 2 and len(_running(world)) == 4, "it runs jobs")
    ((old,),) = world.rows("SELECT id FROM background_job_launchers")
    _pause(world, paused)
    assert 4 == len(_running(world)), "none has ended while somebody listened"
    until(lambda: _ended(world) >= len(short), "the short ones have ended, unheard")
    until(lambda: _silence(world, old) > HEARTBEAT_SECONDS, "it has missed a heartbeat")

    _give_up_as_another_machine_would(world, old)
    later = [world.put("noop", f"c{each}", priority=1)[0] for each in range(20)]
    for job in first:
        with world.bound.write() as session:
            store.cancel(session, job, actor="stress")
    paused.send_signal(signal.SIGCONT)

    until(lambda: not _unfinished(world), "everything is over")
    until(lambda: not world.alive(old), "no process is left of its old life", 10)
    assert {"completed": len(short) + len(later), "cancelled": 2} == world.statuses()
    assert old not in {launcher for (launcher,) in world.rows("SELECT id FROM background_job_launchers")}
    assert [("crashed", "its launcher died")] == world.rows(
        "SELECT DISTINCT outcome, error FROM background_job_attempts WHERE launcher_id = ?", old
    )
    _stop_and_check(world, paused)


def _pause(world: World, launcher: subprocess.Popen[bytes]) -> None:
    """Have it stand still between two transactions: in the middle of one, SQLite's lock stands still too."""

    def stands_well() -> bool:
        launcher.send_signal(signal.SIGSTOP)
        if world.is_free():
            return True
        launcher.send_signal(signal.SIGCONT)
        return False

    until(stands_well, "it stands still and holds no lock")


def _give_up_as_another_machine_would(world: World, launcher: str) -> None:
    """Take its jobs after its silence; its processes are out of reach from there."""
    with world.bound.write() as session:
        store.rescue(session, launcher, world.bound.settings)


def _stop_and_check(world: World, *launchers: subprocess.Popen[bytes]) -> None:
    for launcher in launchers:
        launcher.terminate()
    assert [0] * len(launchers) == [launcher.wait(timeout=30) for launcher in launchers]
    world.ledger.touch()
    found = laws.broken(world, Tally())
    # Two attempts did run at once, where no one could know; one of them was believed.
    found.pop(laws.attempts_never_overlap.__name__)
    assert {} == {law: each for law, each in found.items() if each}


def _silence(world: World, launcher: str) -> float:
    query = "SELECT julianday('now') - julianday(heartbeat_at) FROM background_job_launchers WHERE id = ?"
    ((days,),) = world.rows(query, launcher)
    return float(days) * 86_400


def _running(world: World) -> list[int]:
    return [job for (job,) in world.rows("SELECT id FROM background_jobs WHERE status = 'running'")]


def _unfinished(world: World) -> list[object]:
    return list(world.rows("SELECT id FROM background_jobs WHERE finished_at IS NULL"))


def _completed(world: World) -> int:
    return world.statuses().get("completed", 0)


def _ready(world: World) -> int:
    return sum(each.what == "ready" for each in world.witnessed())


def _ended(world: World) -> int:
    return sum(each.what == "ended" for each in world.witnessed())
