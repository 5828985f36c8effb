"""The warm parent: the one process that starts, watches and ends the processes of jobs.

It is kept small, loads what handlers need, and forks a fresh process for each attempt (or spawns a
cold one). Orders come on one socket; what happened goes out on another, which the jobs' processes
share. When the launcher that it serves is gone, it ends every process it has, and itself.
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
from typing import TYPE_CHECKING, Any, Final, cast

from app.runner import processes
from app.runner.exec import Order
from app.runner.registry import Registry
from app.runner.settings import load_approved
from app.runner.starting import Child, fork, spawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.runner.output import Output

# How often processes that are being ended are looked at, in seconds.
ENDING_SECONDS: Final = 0.02
LARGEST_MESSAGE: Final = 1 << 20
# After this, with its launcher gone, the warm parent leaves even if something could not be ended.
LEAVE_SECONDS: Final = 20.0


class WarmParent:
    """Obeys orders until its launcher is gone."""

    def __init__(self, control: socket.socket, report: socket.socket, given: Mapping[str, Any]) -> None:
        self.control, self.report = control, report
        self.registry = Registry(load_approved(given["approved"]))
        self.given = given
        self.start = fork if given["start_method"] == "fork" else spawn
        self.children: dict[int, Child] = {}
        self.by_job: dict[int, Child] = {}
        # Handed over before there was a slot, so that the next one begins the moment one is free.
        self.waiting: deque[Order] = deque()
        self.is_over = False
        self.selector = selectors.DefaultSelector()

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
        while not self.is_over:
            for key, _ in self.selector.select(self._patience()):
                key.data()
            self._reap()
            self._enforce()
        self._end_everything()

    def _patience(self) -> float | None:
        if any(child.is_ending or child.status is not None for child in self.children.values()):
            return ENDING_SECONDS
        deadlines = [child.deadline for child in self.children.values() if child.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

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
        while self.waiting and len(self.children) < int(self.given["slots"]):
            self._start(self.waiting.popleft())

    def _start(self, order: Order) -> None:
        try:
            child = self.start(self, order)
        except OSError as error:
            # No process could be had (too many, no memory): nothing ran.
            self._say(
                {"kind": "unstarted", "job": order.job_id, "attempt": order.attempt, "error": str(error)}
            )
            return
        self.children[child.pid] = self.by_job[order.job_id] = child
        output = cast("Output", child.output)
        self.selector.register(output.descriptor, selectors.EVENT_READ, lambda: self._pump(child, output))
        started = processes.start_time(child.pid)
        who = {"pid": child.pid, "process_started": started}
        self._say({"kind": "started", "job": order.job_id, "attempt": order.attempt} | who)

    def _pump(self, child: Child, output: Output) -> None:
        if not output.pump():
            self.selector.unregister(output.descriptor)
            child.is_silent = True

    def _stop(self, job_id: int, reason: str, grace: float) -> None:
        child = self.by_job.get(job_id)
        if child is None:
            self._forgo(job_id, reason)
        elif not child.is_ending:
            child.end(reason, grace)

    def _forgo(self, job_id: int, reason: str) -> None:
        """Let go of an order that has not been begun."""
        for order in [each for each in self.waiting if each.job_id == job_id]:
            self.waiting.remove(order)
            self._say({"kind": "unstarted", "job": job_id, "attempt": order.attempt, "error": reason})

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

    def _enforce(self) -> None:
        now = time.monotonic()
        for child in list(self.children.values()):
            if child.status is not None:
                self._settle(child)
            elif child.is_ending:
                child.kill_if_over(now)
            elif child.deadline is not None and now >= child.deadline:
                child.end("timeout", float(self.given["grace_seconds"]))

    def _settle(self, child: Child) -> None:
        """Report the end of a child once nothing that it started is left."""
        known = self.children.keys()
        if any(pid not in known for pid in processes.children()) or child.is_ending:
            left = processes.living([*child.tree, *self._strays()])
            if left:
                if time.monotonic() >= child.kill_at:
                    child.kill_also(left)
                return
        self._say_end(child)
        self._start_waiting()

    def _say_end(self, child: Child) -> None:
        self._forget(child)
        self._say(child.report())

    def _strays(self) -> list[Any]:
        """Processes without a job: adopted ones that no child which is being ended still has time for."""
        known = self.children.keys()
        strays = [each for pid in processes.children() if pid not in known for each in processes.tree(pid)]
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
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self.report.send(json.dumps(message).encode())

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
