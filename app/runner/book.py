"""What a launcher has in hand: claimed, running, ended and not yet written. Kept in memory only."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from app.runner.pace import Pace
from app.runner.running import Running
from app.runner.serving import Done

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from app.runner.exec import Order
    from app.runner.store import Claimed, Finish

_UNKNOWN_END: Final = {
    "exit_code": None,
    "signal": None,
    "cpu_seconds": None,
    "peak_memory_bytes": None,
    "log_bytes": 0,
    "stopped": None,
    "stop_signal": None,
}
_WARM_PARENT_DIED: Final = _UNKNOWN_END | {"signal": int(signal.SIGKILL)}
_NEVER_STARTED: Final = _UNKNOWN_END | {"stopped": "shutdown"}
_NEVER_REACHED: Final = _NEVER_STARTED | {"why": "its warm parent died before it began"}


class Book:
    """The jobs of one launcher between their claim and the writing of their end."""

    def __init__(self, slots: int, *, is_reusing: bool) -> None:
        self.running: dict[int, Running] = {}
        # Claimed ahead of free slots, where jobs are so short that claiming each by itself would cost most.
        self.ready: deque[Claimed] = deque()
        # Those of them that have crashed before: they run apart from all others.
        self.suspects: deque[Claimed] = deque()
        self.finishes: list[Finish] = []
        self.pace = Pace(slots, is_reusing=is_reusing)
        self.idle_since = time.monotonic()

    def is_empty(self) -> bool:
        """Whether there is nothing to run and nothing to write."""
        return not (self.running or self.ready or self.suspects or self.finishes)

    def is_ours(self) -> bool:
        """Whether any job is still in the database as ours."""
        return bool(self.running or self.ready or self.suspects)

    def ids(self) -> set[int]:
        """Give the numbers of all jobs in hand."""
        return {*self.running, *(claimed.job_id for claimed in (*self.ready, *self.suspects))}

    def take(self, claimed: Sequence[Claimed]) -> None:
        """Note what has been claimed."""
        for each in claimed:
            (self.suspects if each.crashes else self.ready).append(each)

    def wanted(self) -> int:
        """How many more jobs to claim."""
        waiting = len(self.ready) + len(self.suspects)
        return self.pace.wanted(len(self.running) - len(self.finishes), waiting)

    def next_orders(self) -> list[Order]:
        """Give what the engine is to start now."""
        orders = []
        kept = len(self.finishes) - len(self.suspects)
        while self.ready and len(self.running) - kept < self.pace.handed_over():
            orders.append(self._begin(self.ready.popleft()))
        return orders

    def next_apart(self) -> Iterator[Order]:
        """Give what the engine is to start apart from all others, as many as there are slots.

        One by one: what comes after one that cannot be started has not begun.
        """
        while self.suspects:
            ending = {end.job_id for end in self.finishes}
            begun = sum(each.claimed.crashes > 0 for id_, each in self.running.items() if id_ not in ending)
            if begun >= self.pace.slots:
                return
            yield self._begin(self.suspects.popleft())

    def _begin(self, claimed: Claimed) -> Order:
        self.idle_since = time.monotonic()
        running = self.running[claimed.job_id] = Running(claimed=claimed)
        return running.order()

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take in what the engine says; of an attempt that is not ours any more, nothing."""
        if message["kind"] == "done":
            self._hear_done(message)
            return
        each = self.running.get(message["job"])
        if each is None or each.claimed.attempt != message["attempt"]:
            return
        if message["kind"] == "ended":
            self._end(each, message)
        elif message["kind"] == "unstarted":
            self._end(each, _NEVER_STARTED | {"why": message["why"]})
        else:
            each.hear(message)

    def cancel(self, job_id: int, attempt: int, who: str) -> bool:
        """Note who wants a job cancelled; True if the engine must end it for that."""
        each = self.running.get(job_id)
        if each is None:
            self._drop(job_id, attempt, who)
            return False
        if each.cancelled_by is not None or each.claimed.attempt != attempt:
            return False
        each.cancelled_by = who
        return True

    def give_back(self) -> None:
        """Give back what was claimed ahead, its attempt with it."""
        for waiting in (self.ready, self.suspects):
            while waiting:
                self._end_unbegun(waiting.popleft(), _NEVER_STARTED)

    def lose(self, job_ids: Collection[int]) -> None:
        """A warm parent was killed, and with it every attempt: a crash of each that may have begun."""
        ending = {end.job_id for end in self.finishes}
        for each in [self.running[job_id] for job_id in job_ids if job_id in self.running]:
            if each.claimed.job_id not in ending:
                self._end(each, _WARM_PARENT_DIED if self._may_have_begun(each) else _NEVER_REACHED)

    def forget_all(self) -> None:
        """None of this is ours any more."""
        self.running.clear()
        self.ready.clear()
        self.suspects.clear()
        self.finishes.clear()

    def unsaved(self) -> list[Running]:
        """Give what runs on and has something to be written."""
        ending = {end.job_id for end in self.finishes}
        return [each for job_id, each in self.running.items() if each.is_unsaved and job_id not in ending]

    def written(self, unsaved: list[Running]) -> dict[int, Claimed]:
        """Note that all ends and this progress have been committed; give what was claimed of the ended."""
        # A process killed right after its report may be reported once more: that end is not believed.
        ended = {end.job_id for end in self.finishes}
        claims = {job_id: self.running.pop(job_id).claimed for job_id in ended}
        self.finishes = []
        for each in unsaved:
            each.saved()
        return claims

    def _may_have_begun(self, each: Running) -> bool:
        """Whether its handler may have run; processes that are reused tell of a short job at its end only."""
        return each.pid is not None or self.pace.is_reusing

    def _hear_done(self, message: Mapping[str, Any]) -> None:
        """A process that is reused tells how jobs ended, and goes on."""
        now = dt.datetime.now(dt.UTC)
        for done in map(Done._make, message["of"]):
            each = self.running.get(done.job_id)
            if each is not None and each.claimed.attempt == done.attempt:
                self.finishes.append(each.done(done, message["pid"], message["process_started"], now))
                self.pace.took(done.seconds)
        self.idle_since = time.monotonic()

    def _end(self, each: Running, ended: Mapping[str, Any]) -> None:
        self.finishes.append(each.end(ended))
        self.idle_since = time.monotonic()
        if each.began is not None:
            self.pace.took(self.idle_since - each.began)

    def _drop(self, job_id: int, attempt: int, who: str) -> None:
        for waiting in (self.ready, self.suspects):
            for claimed in list(waiting):
                if (claimed.job_id, claimed.attempt) == (job_id, attempt):
                    waiting.remove(claimed)
                    self._end_unbegun(claimed, _UNKNOWN_END, who)

    def _end_unbegun(self, claimed: Claimed, end: Mapping[str, Any], who: str | None = None) -> None:
        self.running[claimed.job_id] = never = Running(claimed=claimed, cancelled_by=who)
        self._end(never, end)
