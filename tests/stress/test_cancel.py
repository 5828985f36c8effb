"""Cancelled means dead: whatever the job has started."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.runner import store
from tests.launching import until
from tests.stress.world import GRACE_SECONDS

if TYPE_CHECKING:
    from tests.stress.world import World

TRIALS = 10
SLOTS = 5
# A promise: so long after the grace period nothing is alive any more.
AFTER_GRACE_SECONDS = 1.0


def test_a_cancelled_job_leaves_no_process(world: World) -> None:
    """Neither SIGTERM-proof children nor setsid grandchildren live 1 s after the grace period."""
    world.launch_slots(SLOTS)

    survivors = cancel_trials(world, TRIALS)

    assert [] == survivors


def cancel_trials(world: World, trials: int) -> list[str]:
    """Cancel stubborn jobs, some at once; give what went wrong."""
    wrong: list[str] = []
    for start in range(0, trials, SLOTS):
        count = min(SLOTS, trials - start)
        jobs = [world.put("stubborn", f"c{start}-{number}", 300.0)[0] for number in range(count)]
        until(lambda jobs=jobs: set(jobs) <= _ready(world), "the jobs have started their children")  # type: ignore[misc]
        whole = 3 * count
        until(lambda whole=whole: len(world.at_work()) == whole, "job, child, grandchild each")  # type: ignore[misc]
        asked_at = time.monotonic()
        with world.bound.write() as session:
            for job in jobs:
                store.cancel(session, job, actor="stress")
        until(lambda: not world.at_work(), "no process of theirs is alive", 10)
        took = time.monotonic() - asked_at
        if took > GRACE_SECONDS + AFTER_GRACE_SECONDS:
            wrong.append(f"the processes of {jobs} lived {took:.2f} s")
        until(lambda jobs=jobs: not _unfinished(world, jobs), "the rows say so", 5)  # type: ignore[misc]
        wrong += [said for job in jobs if not (said := world.job(job)["error"]).endswith("by SIGKILL")]
    return wrong


def _ready(world: World) -> set[int]:
    return {each.job_id for each in world.witnessed() if each.what == "ready"}


def _unfinished(world: World, jobs: list[int]) -> list[int]:
    return [job for job in jobs if world.job(job)["status"] != "cancelled"]
