"""Who takes down a warm parent is found, and who ran beside it pays for it once at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.runner.engines.apart import Engines
from app.runner.engines.local import LocalEngine
from app.runner.exec import Order
from tests.launching import until

if TYPE_CHECKING:
    from tests.stress.world import World

INNOCENTS = 3


@pytest.mark.parametrize("jobs_per_process", [1, 100])
def test_poison_that_kills_its_warm_parent_takes_nobody_with_it(world: World, jobs_per_process: int) -> None:
    """It fails at its third crash; what ran beside it completes, and what comes later never notices."""
    world.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = str(jobs_per_process)
    innocents = [world.put("sleep", f"i{each}", 4.0)[0] for each in range(INNOCENTS)]
    poison = world.put("murder", "p", 0.3)[0]
    launcher = world.launch_slots(INNOCENTS + 1)
    until(lambda: world.job(poison)["crashes"] > 0, "it has struck", 20)
    later = [world.put("sleep", f"l{each}", 0.2)[0] for each in range(10)]

    until(lambda: not world.rows("SELECT 1 FROM background_jobs WHERE finished_at IS NULL"), "all over", 60)

    assert ("failed", 3, 3) == tuple(world.job(poison)[name] for name in ("status", "crashes", "attempt"))
    assert [("completed", 1)] * INNOCENTS == [
        (world.job(job)["status"], world.job(job)["crashes"]) for job in innocents
    ]
    assert [("completed", 0, 1)] * len(later) == [
        tuple(world.job(job)[name] for name in ("status", "crashes", "attempt")) for job in later
    ]
    launcher.terminate()
    assert 0 == launcher.wait(timeout=30)
    assert [] == world.alive()


def test_many_poisons_at_once_are_all_found(world: World) -> None:
    """However many there are, each fails at its own third crash, and all others complete."""
    poisons = [world.put("murder", f"p{each}", 0.05)[0] for each in range(4)]
    innocents = [world.put("sleep", f"i{each}", 0.3)[0] for each in range(8)]
    world.launch_slots(3)

    until(lambda: not world.rows("SELECT 1 FROM background_jobs WHERE finished_at IS NULL"), "all over", 60)

    assert {"failed"} == {world.job(job)["status"] for job in poisons}
    assert [("completed", True)] * len(innocents) == [
        (world.job(job)["status"], world.job(job)["crashes"] <= 1) for job in innocents
    ]


def test_no_process_for_a_warm_parent_of_its_own_means_that_nothing_ran(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that has no process left costs a job no crash, and its launcher not its life."""

    def refuse(_: object) -> None:
        raise OSError("too many")

    engines = Engines(world.bound.settings, "crowded", "", 1)
    monkeypatch.setattr(LocalEngine, "start_up", refuse)
    order = Order(job_id=7, attempt=2, class_name="m.C", method="handle", parameters="[]")
    try:
        engines.start_apart(order)
        messages = engines.messages()
        assert engines.is_alive()
    finally:
        engines.close()

    expected = {"kind": "unstarted", "job": 7, "attempt": 2, "why": "no process could be had: too many"}
    assert [expected] == messages
