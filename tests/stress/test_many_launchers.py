"""Several launchers on one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launching import until
from tests.stress import laws
from tests.stress.chaos import Tally

if TYPE_CHECKING:
    from tests.stress.world import World


@pytest.mark.parametrize("launchers", [2, 8])
def test_each_job_is_claimed_once(world: World, launchers: int) -> None:
    """However many launchers there are, each job is claimed by one of them and runs once."""
    jobs = 400
    for number in range(jobs):
        world.put("noop", f"m{number}")
    started = [world.launch_slots(2) for _ in range(launchers)]

    until(lambda: world.statuses() == {"completed": jobs}, "all jobs completed", 60)

    assert [(jobs, 1)] == world.rows("SELECT count(*), max(number) FROM background_job_attempts")
    assert jobs == len({each.tag for each in world.witnessed() if each.what == "began"})
    for launcher in started:
        launcher.terminate()
    assert [0] * launchers == [launcher.wait(timeout=30) for launcher in started]
    world.ledger.touch()
    assert {} == {law: found for law, found in laws.broken(world, Tally()).items() if found}
