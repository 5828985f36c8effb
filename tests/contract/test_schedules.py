"""The laws of schedules: each time fires once, however many launchers look, in one piece with its job."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from app.runner import maintenance, store
from app.runner.errors import PauseRefused, ValidationError
from app.runner.models import Event, Job, Schedule
from app.runner.schedules import load_schedules
from tests.runner_house import WORK, Bench, now

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "every-hour"


def plan(bench: Bench, **options: Any) -> None:
    """Have a schedule in the settings, and a launcher that has started with them."""
    entry = {"cron": "0 * * * *", "class": WORK, "parameters": ["x"], **options}
    settle(bench, load_schedules({NAME: entry}))


def settle(bench: Bench, schedules: Any) -> None:
    """Start a launcher with these schedules."""
    bench.settings = replace(bench.settings, schedules=schedules)
    bench.bound = replace(bench.bound, settings=bench.settings)
    maintenance.settle_in(bench.bound)


def make_due(bench: Bench, **values: Any) -> dt.datetime:
    """Have its time come: the top of this hour."""
    tick = now().replace(minute=0, second=0, microsecond=0)
    with bench.write() as session:
        session.execute(update(Schedule).values({"next_at": tick, **values}))
    return tick


def jobs(bench: Bench) -> list[Job]:
    """Give what was enqueued."""
    with bench.read() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def row(bench: Bench) -> Schedule:
    """Give the schedule's row."""
    with bench.read() as session:
        return session.get_one(Schedule, NAME)


def test_nothing_fires_before_its_time(bench: Bench) -> None:
    """A new schedule begins with the first time after a launcher has seen it."""
    plan(bench)

    maintenance.fire_schedules(bench.bound)

    assert [] == jobs(bench)
    assert row(bench).next_at > now()


def test_a_time_fires_once(bench: Bench) -> None:
    """The job is as the setting says, the row says which, and the next time is ahead."""
    plan(bench, priority=1, missed="once")
    tick = make_due(bench)

    for _ in range(3):
        maintenance.fire_schedules(bench.bound)

    (job,) = jobs(bench)
    assert (WORK, "handle", '["x"]', 1) == (job.class_name, job.method, job.parameters, job.priority)
    assert f"schedule:{NAME}" == job.created_by
    assert (tick, job.id, 0) == (row(bench).last_at, row(bench).last_job_id, row(bench).missed)
    assert row(bench).next_at > now()


def test_many_launchers_fire_once_together(bench: Bench) -> None:
    """However they interleave, one launcher's UPDATE decides."""
    plan(bench, missed="once")
    make_due(bench)
    together = threading.Barrier(4)
    moment = now()

    def launcher() -> None:
        together.wait(10)
        with bench.bound.write() as session:
            schedule = bench.settings.schedules[NAME]
            store.fire(session, schedule, bench.settings, bench.bound.registry, moment)

    threads = [threading.Thread(target=launcher) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert 1 == len(jobs(bench))


def test_a_time_and_its_job_are_one_transaction(bench: Bench) -> None:
    """A launcher that dies in between has neither moved the time nor enqueued."""
    plan(bench, missed="once")
    tick = make_due(bench)

    with pytest.raises(KeyError):
        fire_and_die(bench)

    assert ([], tick) == (jobs(bench), row(bench).next_at)


def fire_and_die(bench: Bench) -> None:
    """Fail between the job and its commit."""
    with bench.write() as session:
        store.fire(session, bench.settings.schedules[NAME], bench.settings, bench.bound.registry, now())
        raise KeyError


def test_what_was_missed_is_counted(bench: Bench) -> None:
    """With the policy skip, three times of which nobody noticed are three that were missed."""
    plan(bench)
    make_due(bench, next_at=now() + dt.timedelta(hours=-3, minutes=-1))

    maintenance.fire_schedules(bench.bound)

    assert row(bench).missed + len(jobs(bench)) >= 3
    assert row(bench).next_at > now()


def test_a_schedule_that_is_removed_goes_with_its_row(bench: Bench) -> None:
    """Its jobs stay, and nothing fires any more."""
    plan(bench, missed="once")
    make_due(bench)
    maintenance.fire_schedules(bench.bound)

    settle(bench, {})

    with bench.read() as session:
        assert [] == list(session.scalars(select(Schedule)))
    assert 1 == len(jobs(bench))


def test_a_schedule_that_is_changed_begins_anew(bench: Bench) -> None:
    """Another expression has other times; what it owed by the old ones is not caught up."""
    plan(bench, missed="all")
    make_due(bench)

    plan(bench, missed="all", cron="30 5 1 1 *")

    maintenance.fire_schedules(bench.bound)
    assert [] == jobs(bench)
    assert ("30 5 1 1 *", 30) == (row(bench).cron, row(bench).next_at.minute)


def test_a_launcher_of_old_settings_does_not_fire_what_was_changed(bench: Bench) -> None:
    """Times that are not its own are left to those who know them."""
    plan(bench, missed="once")
    make_due(bench, cron="1 2 3 4 *")

    maintenance.fire_schedules(bench.bound)

    assert [] == jobs(bench)


def test_a_time_that_a_wrong_clock_left_far_ahead_is_put_right(bench: Bench) -> None:
    """A clock that was a year ahead for a while does not silence a schedule for a year."""
    plan(bench)
    make_due(bench, next_at=now() + dt.timedelta(days=366))

    plan(bench)

    assert row(bench).next_at <= now() + dt.timedelta(hours=1)


def test_parameters_that_do_not_fit_are_said_once_a_time(bench: Bench) -> None:
    """The time passes, counted as missed, and others are not kept."""
    plan(bench, parameters=["x", 1, "too many"], missed="once")
    make_due(bench)

    maintenance.fire_schedules(bench.bound)
    maintenance.fire_schedules(bench.bound)

    assert ([], 1) == (jobs(bench), row(bench).missed)
    said = (bench.settings.log_dir / "background_jobs_errors.log").read_text().splitlines()
    assert 1 == len(said)
    assert NAME in said[0]


def test_a_person_runs_a_schedule_now(bench: Bench) -> None:
    """The job says who asked, and the times stay as they are."""
    plan(bench)
    before = row(bench).next_at

    with bench.write() as session:
        schedule = bench.settings.schedules[NAME]
        job = store.run_schedule(session, schedule, bench.settings, bench.bound.registry, actor="eve")
        number = job.id

    assert (before, number) == (row(bench).next_at, row(bench).last_job_id)
    assert "eve" == bench.job(number).created_by
    with bench.read() as session:
        (event,) = session.scalars(select(Event))
        assert ("schedule_run", "eve", number) == (event.name, event.actor, event.job_id)


def test_running_now_what_does_not_fit_is_refused(bench: Bench) -> None:
    """Nothing is enqueued and nothing recorded."""
    plan(bench, parameters=["x", 1, "too many"])

    schedule, registry = bench.settings.schedules[NAME], bench.bound.registry
    with pytest.raises(ValidationError), bench.write() as session:
        store.run_schedule(session, schedule, bench.settings, registry, actor="eve")

    assert [] == jobs(bench)


def turn(bench: Bench, verb: Callable[..., None]) -> None:
    """Pause or resume the schedule as a person does."""
    with bench.write() as session:
        verb(session, bench.settings.schedules[NAME], actor="eve")


@pytest.mark.parametrize(("policy", "caught_up"), [("skip", 0), ("once", 1), ("all", 3)])
def test_a_paused_schedule_waits_and_catches_up_by_its_policy(
    bench: Bench, policy: str, caught_up: int
) -> None:
    """While it is paused nothing is enqueued; what it missed is decided when it is resumed."""
    daily = now() - dt.timedelta(hours=1)
    plan(bench, missed=policy, cron=f"{daily.minute} {daily.hour} * * *")
    turn(bench, store.pause_schedule)
    make_due(bench, next_at=daily.replace(second=0, microsecond=0) - dt.timedelta(days=2))

    maintenance.fire_schedules(bench.bound)
    assert [] == jobs(bench)

    turn(bench, store.resume_schedule)
    maintenance.fire_schedules(bench.bound)
    assert (caught_up, 3 - caught_up) == (len(jobs(bench)), row(bench).missed)


def test_a_pause_of_a_schedule_is_answered_for(bench: Bench) -> None:
    """Each leaves one event that says who; what is so already is refused and leaves none."""
    plan(bench)
    with pytest.raises(PauseRefused, match="the schedule every-hour is not paused"):
        turn(bench, store.resume_schedule)

    turn(bench, store.pause_schedule)
    with pytest.raises(PauseRefused, match="the schedule every-hour is paused already"):
        turn(bench, store.pause_schedule)
    turn(bench, store.resume_schedule)

    with bench.read() as session:
        said = [(each.subject, each.name, each.actor, each.after) for each in session.scalars(select(Event))]
    subject = f"schedule:{NAME}"
    assert [(subject, "paused", "eve", "paused"), (subject, "resumed", "eve", "open")] == sorted(said)


def test_a_schedule_can_be_paused_before_any_launcher_has_seen_it(bench: Bench) -> None:
    """Its row is made for it, and a launcher that starts leaves it paused; so does a change of its times."""
    bench.settings = replace(
        bench.settings, schedules=load_schedules({NAME: {"cron": "0 * * * *", "class": WORK}})
    )
    turn(bench, store.pause_schedule)

    plan(bench, cron="30 * * * *", missed="once")
    make_due(bench)
    maintenance.fire_schedules(bench.bound)

    assert (True, []) == (row(bench).is_paused, jobs(bench))
