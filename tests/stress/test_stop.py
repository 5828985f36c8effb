"""Stopping in good order, with all hands full."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.launching import until
from tests.stress import laws
from tests.stress.chaos import Tally
from tests.stress.world import GRACE_SECONDS

if TYPE_CHECKING:
    from tests.stress.world import World


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_gives_back_what_it_interrupts(world: World, number: signal.Signals) -> None:
    """A stopped launcher is gone soon after the grace periods; what it had completes once, elsewhere."""
    jobs = 0
    for start in range(60):
        jobs += len(world.put("noop", f"n{start}"))
        jobs += len(world.put("sleep", f"s{start}", 0.2)) if start % 2 else 0
    long = [world.put("stubborn", f"long{each}", 6.0, priority=1)[0] for each in range(2)]
    launcher = world.launch_slots(4)
    until(lambda: all(world.job(job)["status"] == "running" for job in long), "the long ones run")
    until(lambda: world.statuses().get("completed", 0) > 10, "it is at work")

    stopped_at = time.monotonic()
    launcher.send_signal(number)
    assert 0 == launcher.wait(timeout=30)

    # The grace period in which jobs may end by themselves, that in which they are told to, and one for us.
    assert time.monotonic() - stopped_at < 2 * GRACE_SECONDS + 3
    assert [] == world.alive()
    assert [] == world.rows("SELECT id FROM background_jobs WHERE status = 'running'")
    assert [("interrupted", 0)] == world.rows(
        "SELECT DISTINCT outcome, attempts_used FROM background_job_attempts a"
        " JOIN background_jobs j ON j.id = a.job_id WHERE j.status = 'pending'"
    )
    second = world.launch_slots(4)
    until(lambda: world.statuses() == {"completed": jobs + 2}, "all completed", 60)
    second.terminate()
    second.wait(timeout=30)
    world.ledger.touch()
    assert {} == {law: found for law, found in laws.broken(world, Tally()).items() if found}
