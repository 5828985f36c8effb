"""The runner's settings as one validated, frozen value.

Nothing but the standard library is imported: the processes that run jobs read this too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from app.runner.errors import SettingsError
from app.runner.schedules import CronSchedule, load_schedules

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
DOTTED_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+", re.ASCII)
NAME_LENGTH: Final = 200

MAX_DELAY_SECONDS: Final = 365 * 86_400
MAX_TIMEOUT_SECONDS: Final = 7 * 86_400

DEFAULT_RETRIES: Final = 3
DEFAULT_RETENTION_DAYS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many starts in a window of so many seconds."""

    count: int
    seconds: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One class of the approved list: which methods may run, and how by default."""

    methods: tuple[str, ...]
    timeout: float | None = None
    retries: int | None = None
    # Over all launchers: the most that run at once, and the most that start in a window.
    max_running: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be configured; the field `slots` is the setting `RUNNER_SLOTS`, and so on."""

    approved: Mapping[str, Approval] = field(default_factory=dict)
    slots: int = field(default_factory=lambda: os.cpu_count() or 1)
    start_method: str = "fork" if hasattr(os, "fork") else "spawn"
    # Jobs that one process may run, one after the other; 1 is a fresh process for each.
    jobs_per_process: int = 1
    ageing_seconds: float = 300.0
    max_retries: int = 25
    grace_seconds: float = 5.0
    # How far jobs give way to everything else on the machine, as `nice` counts it.
    nice: int = 0
    # For all that finished, or by status; a status that is not named keeps the default.
    retention_days: float | Mapping[str, float] = DEFAULT_RETENTION_DAYS
    log_dir: Path = Path("logs")
    log_limit_bytes: int = 1_000_000
    # Where launchers listen to be woken; beside the database on one machine.
    wake_dir: Path = Path("instance")
    database_url: str = ""
    # How `flask --app` would name the application; empty: wsgi.py or app.py, as flask does.
    application: str = ""
    # The template that the dashboard's pages extend.
    layout: str = "runner/layout.html"
    # Whether enqueueing without a launcher starts one in the background.
    autostart: bool = False
    schedules: Mapping[str, CronSchedule] = field(default_factory=dict)

    def retention_of(self, status: str) -> float:
        """How many days a job that ended so is kept."""
        if isinstance(self.retention_days, Mapping):
            return self.retention_days.get(status, DEFAULT_RETENTION_DAYS)
        return self.retention_days

    @cached_property
    def limited(self) -> Mapping[str, Approval]:
        """The classes of which only so many may run at once, or start in a time."""
        return {name: each for name, each in self.approved.items() if each.max_running or each.rate}


_NUMBERS: Final[dict[str, tuple[type[int | float], float, float]]] = {
    "slots": (int, 1, 1024),
    "jobs_per_process": (int, 1, 1_000_000),
    "ageing_seconds": (float, 0, 86_400 * 30),
    "max_retries": (int, 0, 1000),
    "grace_seconds": (float, 0, 3600),
    "nice": (int, 0, 19),
    "log_limit_bytes": (int, 1000, 1_000_000_000),
}
_CHOICES: Final = {"start_method": ("fork", "spawn")}
_PATHS: Final = ("log_dir", "wake_dir")


def load_settings(config: Mapping[str, Any]) -> Settings:
    """Read every `RUNNER_*` of `config`.

    Raises `SettingsError` naming the first setting that is unknown or cannot be used.
    """
    given = {key[7:].lower(): value for key, value in config.items() if key.startswith("RUNNER_")}
    known = {each.name for each in fields(Settings)}
    for name in given:
        if name not in known:
            raise SettingsError(f"RUNNER_{name.upper()}: there is no such setting{_nearest(name, known)}")
    return Settings(**{name: _read(name, value) for name, value in given.items() if value is not None})


def _nearest(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"; did you mean RUNNER_{near[0].upper()}?" if near else ""


def _read(name: str, value: Any) -> Any:
    setting = f"RUNNER_{name.upper()}"
    if name in _LOADERS:
        return _LOADERS[name](value)
    if name in _NUMBERS:
        return _number(setting, value, *_NUMBERS[name])
    if name in _CHOICES:
        return _choice(setting, value, _CHOICES[name])
    if not isinstance(value, (str, Path)):
        raise SettingsError(f"{setting} must be a text, not {value!r}")
    return Path(value) if name in _PATHS else str(value)


def _number(setting: str, value: Any, kind: type[int | float], least: float, most: float) -> float:
    accepted = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted) or not least <= value <= most:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{setting} must be {what} from {least:g} to {most:g}, not {value!r}")
    return kind(value)


def _retention(value: Any) -> float | dict[str, float]:
    setting, most = "RUNNER_RETENTION_DAYS", 36_500
    if not isinstance(value, Mapping):
        return _number(setting, value, float, 0, most)
    for status in value:
        if status not in ("completed", "failed", "cancelled"):
            raise SettingsError(f"{setting}: {status!r} is not one of completed, failed, cancelled")
    return {status: _number(f"{setting}: {status}", days, float, 0, most) for status, days in value.items()}


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"RUNNER_AUTOSTART must be true or false, not {value!r}")
    if value and not hasattr(os, "fork"):
        raise SettingsError("RUNNER_AUTOSTART: this system cannot start a launcher in the background")
    return value


def _choice(setting: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingsError(f"{setting} must be one of {', '.join(choices)}, not {value!r}")
    if value == "fork" and not hasattr(os, "fork"):
        raise SettingsError(f"{setting}: this system cannot fork; use spawn")
    return str(value)


def load_approved(raw: Any) -> dict[str, Approval]:
    """Read the approved list: `{"dotted.Class": ["method", ...]}` or `{..: {"methods": [...], ...}}`."""
    if not isinstance(raw, Mapping):
        raise SettingsError(f'RUNNER_APPROVED must be like {{"module.Class": ["method"]}}, not {raw!r}')
    return {_class_name(name): _approval(name, entry) for name, entry in raw.items()}


def _class_name(name: Any) -> str:
    if not isinstance(name, str) or len(name) > NAME_LENGTH or not DOTTED_NAME.fullmatch(name):
        raise SettingsError(f"RUNNER_APPROVED: {name!r} is not a dotted class name like package.module.Class")
    return name


def _approval(name: str, entry: Any) -> Approval:
    if isinstance(entry, Approval):
        return entry
    given = dict(entry) if isinstance(entry, Mapping) else {"methods": entry}
    methods = given.pop("methods", None)
    if not isinstance(methods, (list, tuple)) or not methods or not all(map(_is_method_name, methods)):
        raise SettingsError(f"RUNNER_APPROVED: {name} needs a list of public method names, not {methods!r}")
    timeout, retries = given.pop("timeout", None), given.pop("retries", None)
    max_running, rate = given.pop("max_running", None), given.pop("rate", None)
    if given:
        raise SettingsError(f"RUNNER_APPROVED: {name} has the unknown option {min(given)!r}")
    where = f"RUNNER_APPROVED: {name}:"
    if timeout is not None:
        timeout = _number(f"{where} timeout", timeout, float, 0.001, MAX_TIMEOUT_SECONDS)
    if retries is not None:
        retries = int(_number(f"{where} retries", retries, int, 0, 1000))
    if max_running is not None:
        max_running = int(_number(f"{where} max_running", max_running, int, 1, 10_000))
    rate = None if rate is None else _rate(f"{where} rate", rate)
    return Approval(
        methods=tuple(methods), timeout=timeout, retries=retries, max_running=max_running, rate=rate
    )


_RATE: Final = re.compile(r"([1-9][0-9]{0,5})/(second|minute|hour|day)", re.ASCII)
_WINDOWS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def _rate(setting: str, value: Any) -> Rate:
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise SettingsError(
            f'{setting} must be like "10/minute" (second, minute, hour or day), not {value!r}'
        )
    return Rate(count=int(found[1]), seconds=_WINDOWS[found[2]], text=found[0])


_LOADERS: Final[dict[str, Callable[[Any], Any]]] = {
    "approved": load_approved,
    "schedules": load_schedules,
    "retention_days": _retention,
    "autostart": _switch,
}


def _is_method_name(name: object) -> bool:
    return isinstance(name, str) and bool(NAME.fullmatch(name)) and not name.startswith("_")
