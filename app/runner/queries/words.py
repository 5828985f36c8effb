"""What people read about a job: its state as a word, what may be done, why it waits.

Pure functions; the command line and the dashboard say the same because both ask here.
"""

from __future__ import annotations

import json
import re
import signal as signals
from typing import TYPE_CHECKING, Final

from app.runner.redact import mask
from app.runner.states import waiting_state

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

# A launcher that has said nothing for so long is taken for dead by people (rescue proves it first).
LAUNCHER_SILENT_SECONDS: Final = 15

STATES: Final = (
    "pending",
    "scheduled",
    "retrying",
    "held",
    "blocked",
    "running",
    "cancelling",
    "stale",
    "completed",
    "failed",
    "cancelled",
)

_VERBS: Final[dict[str, tuple[str, ...]]] = {
    "pending": ("start", "hold", "cancel"),
    "scheduled": ("start", "hold", "cancel"),
    "retrying": ("start", "hold", "cancel"),
    "held": ("start", "release", "cancel"),
    "blocked": ("hold", "cancel"),
    "running": ("cancel",),
    "cancelling": (),
    "stale": ("cancel",),
    "completed": ("retry",),
    "failed": ("retry",),
    "cancelled": ("retry",),
}

# Control characters but tab and newline, marks of direction, line separators, lone surrogates.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)

# Longer parameters are not parsed for every row of every poll.
_PARSE_LIMIT: Final = 50_000


def derive_state(
    status: str,
    *,
    now: dt.datetime,
    run_at: dt.datetime,
    is_held: bool,
    attempts_used: int,
    cancel_requested_at: dt.datetime | None,
    heartbeat_at: dt.datetime | None,
    waits_for: int = 0,
) -> str:
    """Name the state a person sees: the stored status, or what its columns say beyond it."""
    if status == "pending":
        return waiting_state(
            now=now, run_at=run_at, is_held=is_held, attempts_used=attempts_used, waits_for=waits_for
        )
    if status == "running":
        if heartbeat_at is None or is_silent(heartbeat_at, now):
            return "stale"
        return "cancelling" if cancel_requested_at else "running"
    return status


def is_silent(heartbeat_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a launcher last heard of at that time is taken for dead."""
    return (now - heartbeat_at).total_seconds() > LAUNCHER_SILENT_SECONDS


def verbs_for(state: str) -> tuple[str, ...]:
    """List what a person may do to a job in this state."""
    return _VERBS[state]


def explain_waiting(
    state: str, *, now: dt.datetime, run_at: dt.datetime, live_launchers: int, ahead: int
) -> str | None:
    """Say in one sentence why a job has not started, or None when it is not waiting."""
    if state == "held":
        return "Held by a person until someone releases it."
    if state not in {"pending", "scheduled", "retrying"}:
        return None
    if run_at > now:
        return _explain_time(state, run_at=run_at, now=now)
    if not live_launchers:
        return "No launcher is alive to run it; start one with `flask jobs work`."
    if ahead:
        return f"{count(ahead)} {'job is' if ahead == 1 else 'jobs are'} ahead of it."
    return "Next in line: it starts as soon as a slot is free."


def explain_blocked(ancestors: Sequence[int], number: int, ended: Sequence[int] = ()) -> str:
    """Say which jobs a job waits for, as many as are named, and which of them have ended."""
    over = f" Ended already: {', '.join(map(str, ended))}." if ended else ""
    if number == 1 == len(ancestors):
        return f"Waits for job {ancestors[0]} to end.{over}"
    rest = number - len(ancestors)
    names = [str(each) for each in ancestors] + ([f"{count(rest)} more"] if rest > 0 else [])
    return f"Waits for {number} jobs to end: {', '.join(names)}.{over}"


def _explain_time(state: str, *, run_at: dt.datetime, now: dt.datetime) -> str:
    wait = duration((run_at - now).total_seconds())
    moment = f"{run_at:%Y-%m-%d %H:%M:%S} UTC"
    if state == "retrying":
        return f"Waits {wait} after its last attempt failed; tried again at {moment}."
    return f"Scheduled: may start in {wait}, at {moment}."


COUNT_CAP: Final = 10_000


def count(number: int) -> str:
    """Write a count that was not counted beyond the cap: `10,000+`."""
    return f"{COUNT_CAP:,}+" if number > COUNT_CAP else f"{number:,}"


def duration(seconds: float | None) -> str:
    """Write seconds with the two units that matter: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 1 h`."""
    if seconds is None:
        return ""
    if seconds < 10:  # noqa: PLR2004 - where a tenth of a second stops to matter
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, rest_size, rest_unit in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // rest_size
            return f"{whole // size} {unit}" + (f" {rest} {rest_unit}" if rest else "")
    return f"{whole} s"


def signal_name(number: int | None) -> str:
    """Name a signal as the manual does: `SIGKILL`."""
    try:
        return signals.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"


def visible(text: str) -> str:
    r"""Write control and direction characters as escapes (`\x1b`), so that output cannot repaint a page."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def cut(text: str, length: int) -> str:
    """Shorten a text to that many characters, the last of which says so."""
    return text if len(text) <= length else text[: length - 1] + "…"


def readable_parameters(text: str) -> str:
    """Write a job's parameters for people: secrets hidden, nothing that repaints the page."""
    if len(text) > _PARSE_LIMIT:
        return f"{len(text):,} characters, too long to show"
    try:
        value = json.loads(text)
    except ValueError:
        return visible(text)
    return visible(json.dumps(mask(value), ensure_ascii=False))
