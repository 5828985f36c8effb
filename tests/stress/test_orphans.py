"""What nobody knows of: jobs without a launcher, claims without an answer, processes without a mark."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psutil

from app.runner import processes, store
from app.runner.engines.local import LocalEngine
from app.runner.maintenance import Silence, give_back_unknown, rescue_all
from tests.launching import until

if TYPE_CHECKING:
    import pytest

    from tests.stress.world import World


def test_a_job_whose_launcher_is_not_on_record_is_rescued(world: World) -> None:
    """A row that says running, by a launcher that nobody knows, is given back: no one else would."""
    (job,) = world.put("noop", "x")
    _claim(world, "nobody")

    ends = rescue_all(world.bound, "somebody", Silence())

    assert [(job, "pending")] == [(end.job_id, end.status) for end in ends]
    assert ("pending", 0, None) == tuple(
        world.job(job)[name] for name in ("status", "attempts_used", "launcher_id")
    )


def test_a_claim_whose_answer_was_lost_is_given_back_whole(world: World) -> None:
    """What was committed for us, unknown to us, is given back with its attempt; the rest stays."""
    lost, known = world.put("noop", "lost")[0], world.put("noop", "known")[0]
    _claim(world, "us")

    ends = give_back_unknown(world.bound, "us", {known})

    assert [(lost, "interrupted")] == [(end.job_id, end.outcome) for end in ends]
    assert ("pending", 0, 0) == tuple(
        world.job(lost)[name] for name in ("status", "attempts_used", "crashes")
    )
    assert "running" == world.job(known)["status"]


def test_a_cancel_of_a_lost_claim_ends_the_job(world: World) -> None:
    """Somebody may have cancelled it meanwhile: then it is not given back but over."""
    (job,) = world.put("noop", "x")
    _claim(world, "us")
    with world.bound.write() as session:
        store.cancel(session, job, actor="stress")

    give_back_unknown(world.bound, "us", set())

    assert "cancelled" == world.job(job)["status"]


def test_a_warm_parent_that_dies_at_birth_is_seen_dead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm parent killed before it has heard anything does not take its launcher with it."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    engines = [LocalEngine(world.bound.settings, "stillborn", "", 1) for _ in range(20)]

    for engine in engines:
        until(lambda engine=engine: not engine.is_alive(), "it is seen dead", 5)  # type: ignore[misc]
        engine.close()


def test_a_process_without_a_mark_ends_with_its_warm_parent(world: World) -> None:
    """A job's child with an empty environment is ended too when the warm parent is killed."""
    (job,) = world.put("bare", "x", 30.0)
    launcher = world.launch_slots(1)
    until(lambda: _bare(world), "the child is there")
    (warm_parent,) = psutil.Process(launcher.pid).children()
    child = _bare(world)[0]

    warm_parent.kill()

    until(lambda: processes.start_time(child) is None, "the child is gone", 5)
    until(lambda: len(_bare(world)) == 2, "the job has begun again")
    with world.bound.write() as session:
        store.cancel(session, job, actor="stress")
    until(lambda: world.job(job)["status"] == "cancelled", "it is cancelled")
    assert [None, None] == [processes.start_time(pid) for pid in _bare(world)]


def _bare(world: World) -> list[int]:
    return [int(each.tag) for each in world.witnessed() if each.what == "bare"]


def _claim(world: World, launcher: str) -> None:
    with world.bound.write() as session:
        store.claim(session, launcher, "here", 10)
