"""The latest starts of a class, kept so briefly that a row has room: never more than so many in any window.

Starts that come close together are kept as one entry, which counts until the last of them is a window
old: a burst may be counted a little longer than it must, and never shorter.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.runner.settings import Rate

# Entries to a window: what a burst may be counted for too long is a part of it.
PARTS: Final = 50


class Starts(NamedTuple):
    """Some starts, in seconds since the epoch: when the first and the last of them were."""

    first: float
    last: float
    number: int


def used(kept: str | None, rate: Rate, now: dt.datetime) -> int:
    """Count the starts that are less than a window ago."""
    return sum(each.number for each in _recent(kept, rate, now))


def frees_at(kept: str | None, rate: Rate, now: dt.datetime) -> dt.datetime | None:
    """When the next may start, if none may now."""
    recent = _recent(kept, rate, now)
    left = sum(each.number for each in recent)
    for each in recent:
        if left < rate.count:
            break
        left -= each.number
        if left < rate.count:
            return dt.datetime.fromtimestamp(each.last + rate.seconds, dt.UTC)
    return None


def with_starts(kept: str | None, rate: Rate, now: dt.datetime, count: int) -> str:
    """Add starts of this moment, and forget those that no longer count."""
    recent = list(_recent(kept, rate, now))
    moment = now.timestamp()
    if recent and moment - recent[-1].first < rate.seconds / PARTS:
        last = recent.pop()
        recent.append(Starts(last.first, max(moment, last.last), last.number + count))
    else:
        recent.append(Starts(moment, moment, count))
    return json.dumps(recent)


def _recent(kept: str | None, rate: Rate, now: dt.datetime) -> Sequence[Starts]:
    """Give the entries that count; one that is far in the future is of a clock that was set back."""
    entries = [Starts(*each) for each in json.loads(kept)] if kept else []
    moment = now.timestamp()
    return [each for each in entries if moment - rate.seconds < each.last <= moment + rate.seconds]
