"""Jobs that take down what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.launching import until

if TYPE_CHECKING:
    from tests.stress.world import World


def test_poison_ends_failed_and_holds_nobody_up(world: World) -> None:
    """Twenty jobs that kill their process fail after three crashes each; all others complete meanwhile."""
    poison = [world.put("die", f"p{number}")[0] for number in range(20)]
    others = [world.put("noop", f"n{number}")[0] for number in range(100)]
    world.launch_slots(2)

    until(lambda: world.statuses() == {"failed": 20, "completed": 100}, "all have ended", 60)

    rows = world.rows("SELECT id, attempt, crashes FROM background_jobs WHERE status = 'failed'")
    assert [(job, 3, 3) for job in poison] == sorted(rows)
    assert [(100, 1)] == world.rows(
        "SELECT count(*), max(number) FROM background_job_attempts WHERE job_id >= ?", min(others)
    )
    assert [(9, "crashed")] == world.rows(
        "SELECT DISTINCT signal, outcome FROM background_job_attempts WHERE job_id <= ?", max(poison)
    )
