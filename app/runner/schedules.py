"""Cron schedules as the settings give them, and the times that follow from them.

Nothing but the standard library is imported until there is a schedule.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.runner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSED: Final = ("skip", "once", "all")
MOST_MISSED: Final = 1000
# A tick that is noticed so late was not missed: the launcher was busy, or between two looks.
ON_TIME_SECONDS: Final = 30.0
# Ticks are counted one by one so far; who was away for longer has missed "at least" so many.
MOST_COUNTED: Final = 5000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
_KEYS: Final = (
    "cron",
    "timezone",
    "class",
    "method",
    "parameters",
    "priority",
    "missed",
    "most_missed",
)


@dataclass(frozen=True, kw_only=True)
class CronSchedule:
    """A job that is enqueued whenever a cron expression says so."""

    name: str
    cron: str
    timezone: str
    class_name: str
    method: str
    parameters: Any
    priority: int
    missed: str
    most_missed: int

    def after(self, moment: dt.datetime) -> dt.datetime:
        """Give the first tick after a moment."""
        return next(self.ticks(moment))

    def ticks(self, moment: dt.datetime) -> Iterator[dt.datetime]:
        """Give all ticks after a moment, in UTC; where the clock is put forward or back, as Debian's cron."""
        from cronsim import CronSim

        for tick in CronSim(self.cron, moment.astimezone(_zone(self.timezone))):
            yield tick.astimezone(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is to be done about a schedule whose time has come."""

    # Its ticks that are enqueued, oldest first; and how many are not.
    runs: tuple[dt.datetime, ...]
    missed: int
    next_at: dt.datetime


def decide(schedule: CronSchedule, next_at: dt.datetime, now: dt.datetime) -> Due:
    """Say which of the ticks from `next_at` until now are enqueued, by the schedule's policy.

    The newest one is on time unless it is long past. Of those before it, and of it when it is late: `skip`
    enqueues none; `once` one for all of them; `all` the newest `most_missed`.
    """
    newest, count = _ticks_until(schedule, next_at, now)
    is_on_time = now - newest[-1] <= dt.timedelta(seconds=ON_TIME_SECONDS)
    if schedule.missed == "all":
        runs = newest[-(schedule.most_missed + is_on_time) :]
    else:
        runs = newest[-1:] if is_on_time or schedule.missed == "once" else []
    return Due(runs=tuple(runs), missed=count - len(runs), next_at=schedule.after(now))


def _ticks_until(
    schedule: CronSchedule, first: dt.datetime, now: dt.datetime
) -> tuple[list[dt.datetime], int]:
    """Give the newest ticks from `first` until now, as many as may be wanted, and how many there were."""
    kept: deque[dt.datetime] = deque([first], maxlen=schedule.most_missed + 1)
    count = 1
    for tick in itertools.islice(schedule.ticks(first), MOST_COUNTED):
        if tick > now:
            return list(kept), count
        kept.append(tick)
        count += 1
    recent = schedule.ticks(_shortly_before(schedule, now))
    newest = [tick for tick in itertools.takewhile(lambda tick: tick <= now, recent) if tick >= kept[-1]]
    return (newest or list(kept))[-(schedule.most_missed + 1) :], count


def _shortly_before(schedule: CronSchedule, now: dt.datetime) -> dt.datetime:
    """Give a moment that has as many ticks after it, until now, as may be wanted."""
    from cronsim import CronSim

    backwards = CronSim(schedule.cron, now.astimezone(_zone(schedule.timezone)), reverse=True)
    earliest = now
    for tick in itertools.islice(backwards, schedule.most_missed + 2):
        earliest = tick.astimezone(dt.UTC)
    return earliest - dt.timedelta(seconds=1)


def subject_of(name: str) -> str:
    """Name a schedule as events do, so that no class can be meant; its jobs are enqueued by it."""
    return f"schedule:{name}"


def check_schedules(schedules: Mapping[str, CronSchedule], approved: Mapping[str, Any]) -> None:
    """Refuse schedules of what is not approved; whether parameters fit is seen when handlers are loaded."""
    for name, each in schedules.items():
        approval = approved.get(each.class_name)
        if approval is None or each.method not in approval.methods:
            handler = f"{each.class_name}@{each.method}"
            raise SettingsError(f"RUNNER_SCHEDULES: {name}: {handler} is not on the approved list")


def load_schedules(raw: Any) -> dict[str, CronSchedule]:
    """Read `RUNNER_SCHEDULES`; raises `SettingsError` naming the schedule, the key and what was expected."""
    if not isinstance(raw, Mapping):
        raise SettingsError(f'RUNNER_SCHEDULES must be like {{"name": {{"cron": ..., ...}}}}, not {raw!r}')
    return {_name(name): _schedule(name, entry) for name, entry in raw.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingsError(
            f"RUNNER_SCHEDULES: {name!r} is no name of up to 100 letters, digits, dots, dashes or underscores"
        )
    return name


def _schedule(name: str, entry: Any) -> CronSchedule:
    if isinstance(entry, CronSchedule):
        return entry
    where = f"RUNNER_SCHEDULES: {name}:"
    if not isinstance(entry, Mapping):
        raise SettingsError(f'{where} must be like {{"cron": "*/5 * * * *", "class": ...}}, not {entry!r}')
    for key in entry:
        if key not in _KEYS:
            raise SettingsError(f"{where} {key!r} is no option; the options are {', '.join(_KEYS)}")
    schedule = CronSchedule(
        name=name,
        cron=_text(where, "cron", entry.get("cron"), 100),
        timezone=_text(where, "timezone", entry.get("timezone", "UTC"), 64),
        class_name=_text(where, "class", entry.get("class"), 200),
        method=_text(where, "method", entry.get("method", "handle"), 200),
        parameters=_parameters(where, entry.get("parameters", [])),
        priority=_whole(where, "priority", entry.get("priority", 2), 1, 3),
        missed=_choice(where, "missed", entry.get("missed", "skip")),
        most_missed=_whole(where, "most_missed", entry.get("most_missed", 10), 1, MOST_MISSED),
    )
    _check_times(where, schedule)
    return schedule


def _check_times(where: str, schedule: CronSchedule) -> None:
    from zoneinfo import ZoneInfoNotFoundError

    from cronsim import CronSimError

    try:
        schedule.after(dt.datetime.now(dt.UTC))
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise SettingsError(
            f"{where} timezone {schedule.timezone!r} is not known here; give one such as Europe/Berlin, "
            "or install the package tzdata"
        ) from error
    except CronSimError as error:
        raise SettingsError(f"{where} cron {schedule.cron!r} cannot be read: {error}") from error
    except (StopIteration, RuntimeError) as error:
        raise SettingsError(f"{where} cron {schedule.cron!r} never comes true") from error


def _text(where: str, key: str, value: Any, most: int) -> str:
    if not isinstance(value, str) or not value or len(value) > most:
        raise SettingsError(f"{where} {key} must be a text of up to {most} characters, not {value!r}")
    return value


def _whole(where: str, key: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingsError(f"{where} {key} must be a whole number from {least} to {most}, not {value!r}")
    return value


def _choice(where: str, key: str, value: Any) -> str:
    if value not in MISSED:
        raise SettingsError(f"{where} {key} must be one of {', '.join(MISSED)}, not {value!r}")
    return str(value)


def _parameters(where: str, value: Any) -> Any:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        text = ""
    if not text or not isinstance(value, (list, tuple, dict)):
        raise SettingsError(f"{where} parameters must be a list or an object of plain JSON, not {value!r}")
    return json.loads(text)


def _zone(name: str) -> dt.tzinfo:
    from zoneinfo import ZoneInfo

    return dt.UTC if name == "UTC" else ZoneInfo(name)
