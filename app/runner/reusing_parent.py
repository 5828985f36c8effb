"""A warm parent whose processes are reused: each runs batches of jobs, as many as it may."""

from __future__ import annotations

import contextlib
import selectors
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.runner.launcher import WarmParent
from app.runner.reusing import Reused, clear_spools, next_batch, start_reused

if TYPE_CHECKING:
    from app.runner.starting import Child

# How often processes at work are looked at: for time limits, long jobs, and floods of output. Seconds.
LOOK_SECONDS: Final = 0.05


class ReusingParent(WarmParent):
    """Gives waiting orders out in batches, and takes back what a process that died has not done."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Those that are there are used again; none is forked ahead.
        self.is_forking = False
        # What is to be ended as soon as it is seen to begin: job, why, and the grace it gets.
        self.doomed: dict[int, tuple[str, float]] = {}
        clear_spools(Path(self.given["log_dir"]))

    def _end_everything(self) -> None:
        super()._end_everything()
        clear_spools(Path(self.given["log_dir"]))

    def _start_waiting(self) -> None:
        while self.waiting:
            child = self._idle() or self._another()
            if child is None:
                return
            count = next_batch(list(self.waiting), int(self.given["slots"]), child.left)
            child.give([self.waiting.popleft() for _ in range(count)])

    def _crew(self) -> list[Reused]:
        return [child for child in self.children.values() if isinstance(child, Reused)]

    def _idle(self) -> Reused | None:
        usable = (child for child in self._crew() if not child.batch and child.left and not child.is_ending)
        return next((child for child in usable if child.status is None), None)

    def _another(self) -> Reused | None:
        if len(self.children) >= int(self.given["slots"]):
            return None
        try:
            child = start_reused(self)
        except OSError:
            return None  # no process can be had now; the next end of one, or the next order, tries again
        self.children[child.pid] = child
        self.selector.register(child.orders, selectors.EVENT_READ, lambda: self._hear_from(child))
        return child

    def _hear_from(self, child: Reused) -> None:
        with contextlib.suppress(OSError):
            if child.orders.recv(16):
                child.batch = []
                self._start_waiting()
                return
        child.is_silent = True
        self.selector.unregister(child.orders)

    def _patience(self) -> float | None:
        patience = super()._patience()
        if patience is None and any(child.batch for child in self._crew()):
            return LOOK_SECONDS
        return patience

    def _enforce(self) -> None:
        for child in self._crew():
            if child.status is None and not child.is_ending and child.batch:
                self._look_at(child)
        super()._enforce()

    def _look_at(self, child: Reused) -> None:
        if (message := child.look()) is not None:
            self._say(message)
        order = child.current()
        if order is not None and (why := self.doomed.pop(order.job_id, None)) is not None:
            child.end(*why)
        elif child.is_over_time():
            child.end("timeout", float(self.given["grace_seconds"]))

    def _stop(self, job_id: int, reason: str, grace: float) -> None:
        for child in self._crew():
            order = child.current()
            if order is not None and order.job_id == job_id and child.status is None:
                if not child.is_ending:
                    child.end(reason, grace)
                return
            if any(each.job_id == job_id for each in child.batch):
                self.doomed[job_id] = (reason, grace)
                return
        self._forgo(job_id)

    def _say_end(self, child: Child) -> None:
        """Report the job that died with its process, and give the others of its batch to the next one."""
        if not isinstance(child, Reused):
            super()._say_end(child)
            return
        order, log_bytes = child.current(), child.keep_log()
        if order is not None:
            end = {
                "job": order.job_id,
                "attempt": order.attempt,
                "log_bytes": log_bytes,
                "pid": child.pid,
            }
            self._say(child.report() | end)
            self.doomed.pop(order.job_id, None)
        self.waiting.extendleft(reversed(child.unfinished()))
        for job_id in [each.job_id for each in child.batch if each.job_id in self.doomed]:
            del self.doomed[job_id]
            self._forgo(job_id)
        self._let_go_of(child)

    def _let_go_of(self, child: Reused) -> None:
        if not child.is_silent:
            self.selector.unregister(child.orders)
        child.orders.close()
        child.slate.close()
        self._forget(child)
