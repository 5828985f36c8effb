"""Watches what killed launchers leave behind: for how long, by a clock that knows how busy the machine is.

The promises are those of a machine that is not overloaded. So each time is divided by how much longer
than it needed the watcher itself was at work meanwhile, since it had to wait for a processor: 1.0 where
there is always one free, and then nothing is taken off. And jobs can only be given back by somebody:
where launchers are killed faster than they start, what counts is the longest time that any one of
them was there, from its very start, and had not done it.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.stress.world import World

# The promises: what a killed launcher leaves is dead after the one, and runs again after the other.
SWEPT_SECONDS: Final = 5.0
RESCUED_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.1
# Below that much work of the watcher's own, what it waited says nothing.
LEAST_WORK_SECONDS: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A time, and how long by then the watcher has worked and waited for a processor, in seconds."""

    at: float
    worked: float = 0.0
    waited: float = 0.0
    # How many processes wanted each processor, over the last minute.
    crowd: float = 1.0

    @classmethod
    def now(cls) -> Moment:
        """Give this moment, as the watcher sees it."""
        return cls(at=time.monotonic(), worked=_watched[0], waited=_watched[1], crowd=_crowd())


# How long the watcher of this process has worked, and waited for a processor.
_watched = [0.0, 0.0]


@dataclass(kw_only=True)
class Life:
    """A launcher, from when it was started until it was seen to be over."""

    began: float
    ended: float = float("inf")


@dataclass(kw_only=True)
class Death:
    """A launcher that was killed, and what became of what it left."""

    launcher_id: str
    at: Moment
    # Its warm parent lived on, to end what it had.
    is_alone: bool
    swept: Moment | None = None
    rescued: Moment | None = None

    def swept_after(self, lives: Sequence[Life]) -> float:
        """For how long its processes lived."""
        return self._fair(self.swept, [] if self.is_alone else lives)

    def rescued_after(self, lives: Sequence[Life]) -> float:
        """For how long somebody could have given back its jobs."""
        return self._fair(self.rescued, lives)

    def on_the_clock(self) -> float:
        """For how long anything was left, whoever was there for it, however busy the machine was."""
        if self.swept is None or self.rescued is None:
            return float("inf")
        return max(self.swept.at, self.rescued.at) - self.at.at

    def _fair(self, end: Moment | None, lives: Sequence[Life]) -> float:
        if end is None:
            return float("inf")
        seconds = end.at - self.at.at
        if lives:
            spans = [min(end.at, each.ended) - max(self.at.at, each.began) for each in lives]
            seconds = max(0.0, *spans)
        return seconds / slowness(self.at, end)


def slowness(begin: Moment, end: Moment) -> float:
    """How much longer than it needed the watcher was at work between two moments; 1 on a free machine."""
    worked = end.worked - begin.worked
    if worked < LEAST_WORK_SECONDS:
        return 1.0
    # Who works in short bursts waits more than its share: nobody is slower than there are others.
    return max(1.0, min(1.0 + (end.waited - begin.waited) / worked, begin.crowd, end.crowd))


def _crowd() -> float:
    return os.getloadavg()[0] / (os.cpu_count() or 1)


class Watcher(threading.Thread):
    """Looks at all that has died, many times a second, whatever else the chaos is waiting for."""

    def __init__(self, world: World, deaths: list[Death]) -> None:
        super().__init__(daemon=True)
        self.world, self.deaths = world, deaths
        self.is_over = False

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.join()

    def run(self) -> None:
        """Look until it is over, and once more then."""
        while not self.is_over:
            signal.sigtimedwait([], LOOK_SECONDS)
            self.look()
        self.look()

    def look(self) -> None:
        """Note whose processes are gone, and whose jobs are given back."""
        with suppress(OSError, ValueError):
            worked, waited, _ = Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()
            _watched[:] = [int(worked) / 1e9, int(waited) / 1e9]
        open_ = [death for death in self.deaths if death.swept is None or death.rescued is None]
        if not open_:
            return
        now, alive = Moment.now(), self.world.alive_of()
        with suppress(sqlite3.OperationalError):
            query = "SELECT DISTINCT launcher_id FROM background_jobs WHERE status = 'running'"
            running = {launcher for (launcher,) in self.world.rows(query)}
            for death in open_:
                if death.rescued is None and death.launcher_id not in running:
                    death.rescued = now
        for death in open_:
            if death.swept is None and death.launcher_id not in alive:
                death.swept = now
