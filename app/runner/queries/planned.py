"""Questions about schedules: when each comes next, what it last did, what it missed."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.runner.events import PAUSED
from app.runner.models import Event, Schedule
from app.runner.queries import words
from app.runner.schedules import subject_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.runner.schedules import CronSchedule

TIMES_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    """A schedule as people see it."""

    name: str
    cron: str
    timezone: str
    handler: str
    parameters: str
    priority: int
    missed_policy: str
    # Its next times, the first of them first.
    times: Sequence[dt.datetime]
    last_at: dt.datetime | None
    last_job_id: int | None
    missed: int
    # False until a launcher has seen the schedule: only launchers enqueue.
    is_known: bool
    is_paused: bool
    # By whom and since when, while it is paused.
    paused_by: str | None
    paused_at: dt.datetime | None


def schedules(session: Session, wanted: Mapping[str, CronSchedule], now: dt.datetime) -> list[ScheduleView]:
    """List the schedules of the settings, by name, with what their rows say."""
    rows = {row.name: row for row in session.scalars(select(Schedule))}
    pauses = _pauses(session, [name for name, row in rows.items() if row.is_paused])
    return [_view(each, rows.get(name), pauses.get(name), now) for name, each in sorted(wanted.items())]


def _pauses(session: Session, names: Sequence[str]) -> dict[str, Event]:
    """Give the latest pause of each of these."""
    subjects = {subject_of(name): name for name in names}
    if not subjects:
        return {}
    said = select(Event).where(Event.job_id.is_(None), Event.subject.in_(subjects), Event.name == PAUSED)
    return {subjects[each.subject or ""]: each for each in session.scalars(said.order_by(Event.id))}


def _view(
    schedule: CronSchedule, row: Schedule | None, pause: Event | None, now: dt.datetime
) -> ScheduleView:
    return ScheduleView(
        name=schedule.name,
        cron=schedule.cron,
        timezone=schedule.timezone,
        handler=f"{schedule.class_name}@{schedule.method}",
        parameters=words.readable_parameters(json.dumps(schedule.parameters)),
        priority=schedule.priority,
        missed_policy=schedule.missed,
        times=list(itertools.islice(schedule.ticks(now), TIMES_SHOWN)),
        last_at=row.last_at if row else None,
        last_job_id=row.last_job_id if row else None,
        missed=row.missed if row else 0,
        is_known=row is not None,
        is_paused=bool(row and row.is_paused),
        paused_by=words.visible(pause.actor) if pause else None,
        paused_at=pause.at if pause else None,
    )
