"""Kill -9 of anything at any moment, the short form; the long one is `script/stress`."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.stress import laws
from tests.stress.chaos import Chaos

if TYPE_CHECKING:
    from tests.stress.world import World


@pytest.mark.parametrize("jobs_per_process", [1, 100])
def test_kill_9_of_anything_breaks_no_promise(world: World, jobs_per_process: int) -> None:
    """Whatever is killed when: no job is lost, doubled or left, and no process outlives its launcher."""
    world.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = str(jobs_per_process)
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - to do it again
    if jobs_per_process > 1:
        # As it is where no control groups can be made: what a job starts is known by parents and marks.
        world.environment["STRESS_WITHOUT_GROUPS"] = "1"
    chaos = Chaos(world, jobs=300, kills=20, seed=seed, pause=0.4)

    tally = chaos.run(seconds=60)

    print(tally, laws.summary(world))  # noqa: T201 - read when it fails
    assert {} == {law: found for law, found in laws.broken(world, tally).items() if found}
    assert 15 <= sum(tally.kills.values())
    assert 300 <= len(world.tags())
