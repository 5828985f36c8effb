"""The engines of one launcher: one for all jobs, and others in which a job runs alone.

When a warm parent is killed, nobody can tell which of its jobs did it: each is a crash. Who has
crashed before therefore runs apart from then on, under a warm parent of its own: what it takes
down next time is nobody else's, and what others take down is not held against it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from app.runner.engines.local import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from app.runner.exec import Order
    from app.runner.settings import Settings

# How long a warm parent for jobs that run alone is kept without one, in seconds.
IDLE_SECONDS: Final = 10.0
_ENDS: Final = ("ended", "unstarted")


class Watcher(Protocol):
    """What sleeps until one of some engines says something."""

    def add(self, engine: LocalEngine) -> None:
        """Wake up for it from now on."""

    def remove(self, engine: LocalEngine) -> None:
        """Its sockets are about to be closed."""


@dataclass(frozen=True, kw_only=True)
class Burial:
    """What became of the jobs of dead warm parents."""

    messages: list[dict[str, Any]]
    lost: set[int]
    # Who was not with the others when these died; None if they are alive.
    spared: set[int] | None

    def of(self, running: Collection[int]) -> set[int]:
        """Give those of the running jobs that have lost their process."""
        return {
            job for job in running if job in self.lost or (self.spared is not None and job not in self.spared)
        }


class Engines:
    """Looks like one engine to the dispatcher; `start_apart` is what it has beside."""

    def __init__(self, settings: Settings, launcher_id: str, application: str, slots: int) -> None:
        self._make = partial(LocalEngine, settings, launcher_id, application)
        self.main = self._make(slots)
        # The job that each of the others runs; None while it waits for one.
        self._apart: dict[LocalEngine, int | None] = {}
        self._since: dict[LocalEngine, float] = {}
        self._made = 0
        self._unstarted: list[dict[str, Any]] = []
        self._watch: Watcher | None = None

    def watched_by(self, watch: Watcher) -> None:
        """Have every engine wake this watch from now on."""
        self._watch = watch
        watch.add(self.main)

    def start(self, orders: Sequence[Order]) -> None:
        """Start attempts side by side. Raises `EngineGone` when there is no warm parent to do it."""
        self.main.start(orders)

    def start_apart(self, order: Order) -> None:
        """Start an attempt under a warm parent that has nothing else to do."""
        engine = next((each for each, job in self._apart.items() if job is None and each.is_alive()), None)
        try:
            engine = engine or self._another()
        except OSError as error:
            # No process could be had (too many, no memory): nothing ran.
            why = f"no process could be had: {error}"
            who = {"job": order.job_id, "attempt": order.attempt}
            self._unstarted.append({"kind": "unstarted", **who, "why": why})
            return
        self._apart[engine] = order.job_id
        engine.start([order])

    def stop(self, job_id: int, reason: str, grace: float) -> None:
        """End a job's processes, wherever it runs."""
        engine = next((each for each, job in self._apart.items() if job == job_id), self.main)
        engine.stop(job_id, reason, grace)

    def messages(self) -> list[dict[str, Any]]:
        """Give what has been reported since the last call."""
        heard = [*self._unstarted, *self.main.messages()]
        self._unstarted.clear()
        for engine in self._apart:
            said = engine.messages()
            if self._apart[engine] in _ended(said):
                self._apart[engine] = None
                self._since[engine] = time.monotonic()
            heard += said
        return heard

    def is_alive(self) -> bool:
        """Whether every warm parent is there."""
        return self.main.is_alive() and all(each.is_alive() for each in self._apart)

    def bury(self) -> Burial:
        """End what dead warm parents have left, and make a new one in place of the one that all share."""
        apart = {job for job in self._apart.values() if job is not None}
        dead = [each for each in (self.main, *self._apart) if not each.is_alive()]
        for engine in dead:
            engine.sweep()
        # Only now: until they were dead they may have said something.
        messages = self.messages()
        dropped = [self._drop(engine) for engine in dead if engine is not self.main]
        if self.main in dead:
            self._start_again()
        lost = {job for job in dropped if job is not None}
        return Burial(messages=messages, lost=lost, spared=apart if self.main in dead else None)

    def rest(self) -> None:
        """Let those go that have had no job for a while."""
        now = time.monotonic()
        for engine in [each for each, job in self._apart.items() if job is None]:
            if now - self._since[engine] > IDLE_SECONDS:
                self._drop(engine)

    def close(self) -> None:
        """Have all warm parents end whatever they have, and themselves."""
        everyone = [self.main, *self._apart]
        for engine in everyone:
            engine.hang_up()
        for engine in everyone:
            engine.close()
        self._apart.clear()

    def _start_again(self) -> None:
        if self._watch is not None:
            self._watch.remove(self.main)
        self.main.close()
        self.main.start_up()
        if self._watch is not None:
            self._watch.add(self.main)

    def _another(self) -> LocalEngine:
        self._made += 1
        engine = self._make(1, name=f"apart{self._made}")
        self._apart[engine], self._since[engine] = None, time.monotonic()
        if self._watch is not None:
            self._watch.add(engine)
        return engine

    def _drop(self, engine: LocalEngine) -> int | None:
        if self._watch is not None:
            self._watch.remove(engine)
        engine.close()
        self._since.pop(engine, None)
        return self._apart.pop(engine)


def _ended(messages: Iterable[dict[str, Any]]) -> set[int | None]:
    """Give the jobs that have ended, by what was said of them."""
    ended: set[int | None] = {each["job"] for each in messages if each["kind"] in _ENDS}
    return ended.union(*({one[0] for one in each["of"]} for each in messages if each["kind"] == "done"))
