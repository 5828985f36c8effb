"""Schedules as rows: one guarded UPDATE of `next_at` decides which of many launchers enqueues."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.runner import events
from app.runner.errors import PauseRefused
from app.runner.models import Event, Schedule
from app.runner.schedules import decide, subject_of
from app.runner.store.enqueueing import enqueue
from app.runner.validator import Request, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.runner.models import Job
    from app.runner.registry import Registry
    from app.runner.schedules import CronSchedule
    from app.runner.settings import Settings

_ROWS: Final = cast("Table", Schedule.__table__)


def sync_schedules(session: Session, schedules: Mapping[str, CronSchedule], now: dt.datetime) -> None:
    """Make the rows what the settings say: new ones begin now, changed ones anew, and others go."""
    rows = {row.name: row for row in session.execute(select(_ROWS))}
    for name, schedule in schedules.items():
        row = rows.get(name)
        if row is None:
            _insert(session, schedule, now)
        elif (row.cron, row.timezone) != (schedule.cron, schedule.timezone) or row.next_at > schedule.after(
            now
        ):
            # The latter is what a clock leaves behind that was ahead for a while.
            values = {"cron": schedule.cron, "timezone": schedule.timezone, "next_at": schedule.after(now)}
            session.execute(update(_ROWS).where(_ROWS.c.name == name).values(values))
    gone = sorted(set(rows) - set(schedules))
    session.execute(delete(_ROWS).where(_ROWS.c.name.in_(gone)))


def due_schedules(session: Session, names: Iterable[str], now: dt.datetime) -> list[str]:
    """Name the schedules whose time has come, found out without writing."""
    is_due = (_ROWS.c.next_at <= now) & _ROWS.c.is_paused.is_(False) & _ROWS.c.name.in_(sorted(names))
    return list(session.scalars(select(_ROWS.c.name).where(is_due)))


def fire(
    session: Session, schedule: CronSchedule, settings: Settings, registry: Registry, now: dt.datetime
) -> list[Job]:
    """Enqueue what a schedule owes, unless another launcher was quicker; in the same transaction."""
    row = session.execute(select(_ROWS).where(_ROWS.c.name == schedule.name)).first()
    if row is None or row.next_at > now or (row.cron, row.timezone) != (schedule.cron, schedule.timezone):
        return []
    due = decide(schedule, row.next_at, now)
    if not _advanced(session, row, due.next_at, due.missed):
        return []
    jobs = [_enqueue(session, schedule, settings, registry, subject_of(schedule.name)) for _ in due.runs]
    if jobs:
        _note_run(session, schedule.name, due.runs[-1], jobs[-1].id)
    return jobs


def pass_over(session: Session, schedule: CronSchedule, now: dt.datetime) -> None:
    """Let the time of a schedule pass that cannot be enqueued: trying each second would help nobody."""
    guard = (_ROWS.c.name == schedule.name) & (_ROWS.c.next_at <= now)
    values = {"next_at": schedule.after(now), "missed": _ROWS.c.missed + 1}
    session.execute(update(_ROWS).where(guard).values(values))


def pause_schedule(session: Session, schedule: CronSchedule, *, actor: str) -> None:
    """Have a schedule enqueue nothing until somebody resumes it."""
    now = dt.datetime.now(dt.UTC)
    if session.execute(select(_ROWS.c.name).where(_ROWS.c.name == schedule.name)).first() is None:
        _insert(session, schedule, now)  # no launcher has seen it yet
    _turn(session, schedule.name, events.PAUSED, actor)


def resume_schedule(session: Session, schedule: CronSchedule, *, actor: str) -> None:
    """Let a paused schedule go on; of its times meanwhile, what its policy says is caught up."""
    _turn(session, schedule.name, events.RESUMED, actor)


def _turn(session: Session, name: str, happened: str, actor: str) -> None:
    before, after = ("open", "paused") if happened == events.PAUSED else ("paused", "open")
    guard = (_ROWS.c.name == name) & _ROWS.c.is_paused.is_(before == "paused")
    result = session.execute(update(_ROWS).where(guard).values(is_paused=after == "paused"))
    if result.rowcount != 1:  # type: ignore[attr-defined]
        state = "paused already" if after == "paused" else "not paused"
        raise PauseRefused(f"the schedule {name} is {state}")
    values = {"at": dt.datetime.now(dt.UTC), "actor": actor[:200], "name": happened}
    session.add(Event(subject=subject_of(name), before=before, after=after, **values))
    session.flush()


def run_schedule(
    session: Session, schedule: CronSchedule, settings: Settings, registry: Registry, *, actor: str
) -> Job:
    """Enqueue the job of a schedule now, because a person asks; its times stay as they are."""
    job = _enqueue(session, schedule, settings, registry, actor)
    now = dt.datetime.now(dt.UTC)
    said: dict[str, Any] = {"name": events.SCHEDULE_RUN, "before": "none", "after": "pending"}
    session.add(Event(job_id=job.id, at=now, actor=actor[:200], note=f"schedule {schedule.name}", **said))
    _note_run(session, schedule.name, now, job.id)
    return job


def _enqueue(
    session: Session, schedule: CronSchedule, settings: Settings, registry: Registry, by: str
) -> Job:
    request = Request(
        class_name=schedule.class_name,
        method=schedule.method,
        parameters=schedule.parameters,
        priority=schedule.priority,
        unknown={},
    )
    return enqueue(session, validate(request, registry, settings), settings, created_by=by)


def _advanced(session: Session, row: Any, next_at: dt.datetime, missed: int) -> bool:
    guard = (_ROWS.c.name == row.name) & (_ROWS.c.next_at == row.next_at) & _ROWS.c.is_paused.is_(False)
    values = {"next_at": next_at, "missed": _ROWS.c.missed + missed}
    result = session.execute(update(_ROWS).where(guard).values(values))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _note_run(session: Session, name: str, at: dt.datetime, job_id: int) -> None:
    session.execute(update(_ROWS).where(_ROWS.c.name == name).values(last_at=at, last_job_id=job_id))


def _insert(session: Session, schedule: CronSchedule, now: dt.datetime) -> None:
    values: dict[str, Any] = {"name": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone}
    values |= {"next_at": schedule.after(now), "missed": 0, "is_paused": False}
    try:
        with session.begin_nested():
            session.execute(insert(_ROWS).values(values))
    except IntegrityError:
        return  # another launcher, just starting too, was quicker
