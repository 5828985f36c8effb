"""The laws of pausing: what is paused does not begin, what runs goes on, and somebody answers for it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, update

from app.runner import store
from app.runner.errors import PauseRefused
from app.runner.models import Event, Job, JobClass
from tests.runner_house import WORK, Bench, changes, end, new_events, now

EVERYTHING = "*"


def pause(bench: Bench, name: str = WORK) -> None:
    """Pause a class as a person does."""
    with bench.write() as session:
        store.pause(session, name, bench.settings, actor="bob")


def resume(bench: Bench, name: str = WORK) -> None:
    """Resume a class as a person does."""
    with bench.write() as session:
        store.resume(session, name, actor="eve")


@pytest.mark.parametrize("name", [WORK, EVERYTHING])
def test_a_paused_class_waits_until_it_is_resumed(bench: Bench, name: str) -> None:
    """No job of a paused class is claimed, nor said to be due; resumed, each is there as it was."""
    job = bench.enqueue()
    pause(bench, name)

    assert [] == bench.claim()
    with bench.read() as session:
        assert not store.is_anything_due(session)

    resume(bench, name)
    assert [job] == [each.job_id for each in bench.claim()]


def test_other_classes_go_on(bench: Bench) -> None:
    """Who is not paused is not held up behind those that are, however many there are."""
    for _ in range(5):
        bench.enqueue(priority=1)
    other = bench.enqueue(priority=3)
    with bench.write() as session:
        session.execute(update(Job).where(Job.id == other).values(class_name="somebody.Else"))
    pause(bench)

    assert [other] == [each.job_id for each in bench.claim(limit=1)]


def test_what_runs_goes_on(bench: Bench) -> None:
    """Pausing touches no job: one that runs ends as it would, and is believed."""
    job = bench.job_in("running")
    before = bench.snapshot()

    pause(bench)

    touched = {table for table, _ in changes(before, bench.snapshot())}
    assert {JobClass.__tablename__, Event.__tablename__} == touched
    assert bench.finish(end(job)) is not None


@pytest.mark.parametrize("name", [WORK, EVERYTHING])
def test_somebody_answers_for_it(bench: Bench, name: str) -> None:
    """Pausing and resuming leave one event each: who, when, and what."""
    before = bench.snapshot()
    started = now()

    pause(bench, name)
    with bench.read() as session:
        row = session.get_one(JobClass, name)
        assert (True, "bob") == (row.is_paused, row.paused_by)
        assert row.paused_at is not None
        assert started <= row.paused_at <= now()
    resume(bench, name)

    said = [(each["name"], each["subject"], each["actor"], each["job_id"]) for each in _new(bench, before)]
    assert [("paused", name, "bob", None), ("resumed", name, "eve", None)] == said


def test_what_is_so_already_is_refused(bench: Bench) -> None:
    """Pausing what is paused, or resuming what is not, changes nothing and records nothing."""
    with pytest.raises(PauseRefused, match="is not paused"):
        resume(bench)
    pause(bench)
    before = bench.snapshot()

    with pytest.raises(PauseRefused, match="is paused already"):
        pause(bench)

    assert before == bench.snapshot()


@pytest.mark.parametrize("name", ["no.such.Class", "", "**", "x" * 500])
def test_a_class_that_is_not_approved_cannot_be_paused(bench: Bench, name: str) -> None:
    """A misspelt name does not look as if something were paused now."""
    before = bench.snapshot()

    with pytest.raises(PauseRefused, match="not an approved class"):
        pause(bench, name)

    assert before == bench.snapshot()


def test_without_limits_a_claim_asks_once(bench: Bench) -> None:
    """What nobody uses costs nothing: pauses are part of the one query that a claim is."""
    bench.enqueue()
    asked: list[Any] = []

    def note(*arguments: Any) -> None:
        asked.extend([arguments[2]] if arguments[2].startswith("SELECT") else [])

    event.listen(bench.bound.engine, "before_cursor_execute", note)
    bench.claim()
    event.remove(bench.bound.engine, "before_cursor_execute", note)

    assert 1 == len(asked)


def _new(bench: Bench, before: Any) -> list[Any]:
    return sorted(new_events(before, bench.snapshot()), key=lambda each: int(each["id"]))
