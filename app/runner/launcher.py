"""The warm parent: the one process that starts, watches and ends the processes of jobs.

It is kept small, loads what handlers need, and forks a fresh process for each attempt (or spawns a
cold one). Some are forked ahead, so that an order meets a process that is there already. Orders come
on one socket; what happened goes out on another, which the jobs' processes share. When the launcher
that it serves is gone, it ends every process it has, and itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.runner import processes
from app.runner.exec import Order
from app.runner.registry import Registry
from app.runner.settings import load_approved
from app.runner.starting import Child, fork, spawn

if TYPE_CHECKING:
    from collections.abc import Mapping

# How often processes that are being ended are looked at, in seconds.
ENDING_SECONDS: Final = 0.02
LARGEST_MESSAGE: Final = 1 << 20
# So many reports go into one message.
MOST_TOGETHER: Final = 100
# As many processes are forked ahead as there are slots, but not more than this: each holds some 2 MiB.
MOST_WAITING: Final = 8
# How many more than that are forked ahead. They are forked in a row: after each fork the
# parent has its memory copied page by page as it goes on, and so it has that done once for all of them.
MORE_AHEAD: Final = 3
# How long after one of those that wait has died, or could not be had, others are forked ahead. Seconds.
REFILL_SECONDS: Final = 1.0
# After this, with its launcher gone, the warm parent leaves even if something could not be ended.
LEAVE_SECONDS: Final = 20.0


class WarmParent:
    """Obeys orders until its launcher is gone."""

    def __init__(self, control: socket.socket, report: socket.socket, given: Mapping[str, Any]) -> None:
        self.control, self.report = control, report
        self.registry = Registry(load_approved(given["approved"]))
        self.given = given
        self.is_forking = given["start_method"] == "fork"
        self.slots = int(given["slots"])
        self.children: dict[int, Child] = {}
        self.by_job: dict[int, Child] = {}
        # Forked ahead, by their pids, the longest ready first.
        self.spares: dict[int, Child] = {}
        self.refill_at = 0.0
        self.unsaid: list[str] = []
        # Handed over before there was a slot, so that the next one begins the moment one is free.
        self.waiting: deque[Order] = deque()
        self.is_over = False
        self.selector = selectors.DefaultSelector()
        # What is open here but for no child.
        self.own: list[int] = []

    def run(self) -> None:
        """Work until the launcher closes its end."""
        signals, notice = socket.socketpair()
        for end in (signals, notice):
            end.setblocking(False)
        signal.set_wakeup_fd(notice.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.control.setblocking(False)
        self.selector.register(self.control, selectors.EVENT_READ, self._obey)
        self.selector.register(signals, selectors.EVENT_READ, lambda: _drain(signals))
        self.own = [self.control.fileno(), signals.fileno()]
        if isinstance(self.selector, selectors.EpollSelector):
            self.own.append(self.selector.fileno())
        self._refill()
        while not self.is_over:
            for key, _ in self.selector.select(self._patience()):
                key.data()
            self._reap()
            self._enforce()
            self._speak()
            self._refill()
        self._end_everything()

    def _patience(self) -> float | None:
        if any(child.is_ending or child.status is not None for child in self.children.values()):
            return ENDING_SECONDS
        at = min((child.next_look() for child in self.children.values()), default=float("inf"))
        if self._lacks_spares():
            at = min(at, self.refill_at)
        return None if at == float("inf") else max(0.0, at - time.monotonic())

    def _obey(self) -> None:
        while True:
            try:
                data = self.control.recv(LARGEST_MESSAGE)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                self.is_over = True
                return
            message = json.loads(data)
            if "stop" in message:
                self._stop(message["stop"], message["reason"], message["grace"])
            else:
                self.waiting.extend(map(Order._make, message["orders"]))
                self._start_waiting()

    def _start_waiting(self) -> None:
        begun = []
        while self.waiting and len(self.children) < self.slots:
            if (child := self._start(self.waiting.popleft())) is not None:
                begun.append(child)
        # Said before it can be true: what has not been said to have begun has not.
        self._speak()
        for child in begun:
            child.ask(self._given_to(child))

    def _start(self, order: Order) -> Child | None:
        try:
            child = self._next_process(order)
        except OSError as error:
            # No process could be had (too many, no memory): nothing ran.
            self._say_unstarted(order.job_id, order.attempt, f"no process could be had: {error}")
            return None
        child.take(order, Path(self.given["log_dir"]), int(self.given["log_limit_bytes"]))
        self.children[child.pid] = self.by_job[order.job_id] = child
        who = {"pid": child.pid, "process_started": child.started}
        self._say({"kind": "started", "job": order.job_id, "attempt": order.attempt} | who)
        return child

    def _next_process(self, order: Order) -> Child:
        if not self.is_forking:
            return spawn(self, order)
        return self.spares.pop(next(iter(self.spares))) if self.spares else fork(self, self.descriptors())

    def _given_to(self, child: Child) -> bytes:
        if self.is_forking:
            return json.dumps(child.order, ensure_ascii=False).encode() + b"\n"
        given = {name: self.given[name] for name in ("approved", "application")}
        return json.dumps(given | {"order": child.order._asdict() if child.order else None}).encode()

    def _refill(self) -> None:
        """Fork ahead, once fewer wait than can be needed at once."""
        if not self._lacks_spares() or time.monotonic() < self.refill_at:
            return
        others = self.descriptors()
        try:
            while len(self.spares) < min(self.slots, MOST_WAITING) + MORE_AHEAD:
                child = fork(self, others)
                self.spares[child.pid] = child
                others += child.descriptors()
        except OSError:
            self.refill_at = time.monotonic() + REFILL_SECONDS

    def _lacks_spares(self) -> bool:
        return self.is_forking and len(self.spares) < min(self.slots, MOST_WAITING)

    def descriptors(self) -> list[int]:
        """Give all that is open here and must not be in the process of a job."""
        every = (*self.children.values(), *self.spares.values())
        return [*self.own, *(each for child in every for each in child.descriptors())]

    def _watch(self, child: Child) -> None:
        """Take what it prints as it comes, now that it goes on for long."""
        output, child.watch_at = child.output, None
        if output is not None:
            child.is_silent = False
            self.selector.register(output.descriptor, selectors.EVENT_READ, lambda: self._pump(child))

    def _pump(self, child: Child) -> None:
        if child.output is not None and not child.output.pump():
            self.selector.unregister(child.output.descriptor)
            child.is_silent = True

    def _stop(self, job_id: int, reason: str, grace: float) -> None:
        child = self.by_job.get(job_id)
        if child is None:
            self._forgo(job_id)
        elif not child.is_ending:
            child.end(reason, grace)

    def _forgo(self, job_id: int) -> None:
        """Let go of an order that has not been begun."""
        for order in [each for each in self.waiting if each.job_id == job_id]:
            self.waiting.remove(order)
            self._say_unstarted(job_id, order.attempt, "its launcher was stopped")

    def _say_unstarted(self, job_id: int, attempt: int, why: str) -> None:
        self._say({"kind": "unstarted", "job": job_id, "attempt": attempt, "why": why})

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (child := self.children.get(pid)) is not None:
                child.ended(status, usage)
            elif (spare := self.spares.pop(pid, None)) is not None:
                spare.discard()
                self.refill_at = time.monotonic() + REFILL_SECONDS

    def _enforce(self) -> None:
        now = time.monotonic()
        for child in list(self.children.values()):
            if child.status is not None:
                self._settle(child)
            elif child.is_ending:
                child.kill_if_over(now)
            elif child.deadline is not None and now >= child.deadline:
                child.end("timeout", float(self.given["grace_seconds"]))
            elif child.watch_at is not None and now >= child.watch_at:
                self._watch(child)

    def _settle(self, child: Child) -> None:
        """Report the end of a child once nothing that it started is left."""
        if self._adopted() or child.is_ending:
            left = processes.living([*child.tree, *self._strays()])
            if left:
                if time.monotonic() >= child.kill_at:
                    child.kill_also(left)
                return
        self._say_end(child)
        self._start_waiting()

    def _say_end(self, child: Child) -> None:
        self._forget(child)
        if child.is_unasked and child.order is not None and not child.is_ending:
            self.waiting.appendleft(child.order)
        else:
            self._say(child.report())

    def _adopted(self) -> list[int]:
        return [pid for pid in processes.children() if pid not in self.children and pid not in self.spares]

    def _strays(self) -> list[Any]:
        """Processes without a job: adopted ones that no child which is being ended still has time for."""
        strays = [each for pid in self._adopted() for each in processes.tree(pid)]
        spared = {each for child in self.children.values() for each in child.tree}
        return [each for each in strays if each not in spared]

    def _forget(self, child: Child) -> None:
        if child.output is not None:
            if not child.is_silent:
                self.selector.unregister(child.output.descriptor)
            child.output.close()
        del self.children[child.pid]
        if child.order is not None:
            del self.by_job[child.order.job_id]

    def _say(self, message: Mapping[str, Any]) -> None:
        self.unsaid.append(json.dumps(message))

    def _speak(self) -> None:
        """Send what is to be said, together: each message wakes the launcher."""
        while self.unsaid:
            said, self.unsaid = self.unsaid[:MOST_TOGETHER], self.unsaid[MOST_TOGETHER:]
            with contextlib.suppress(BrokenPipeError, ConnectionError):
                self.report.send(f"[{','.join(said)}]".encode())

    def _end_everything(self) -> None:
        until = time.monotonic() + LEAVE_SECONDS
        while processes.children() and time.monotonic() < until:
            for pid in processes.children():
                processes.send_signal(processes.tree(pid), signal.SIGKILL)
            self._reap()
            time.sleep(ENDING_SECONDS)


def _drain(signals: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while signals.recv(4096):
            pass
