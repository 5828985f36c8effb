"""Jobs run on this machine, by a warm parent of our own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from app.runner import groups, processes
from app.runner.launcher import LARGEST_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.runner.exec import Order
    from app.runner.groups import Group
    from app.runner.settings import Settings

# How long the dead engine's processes may take to be gone, in seconds.
SWEEP_SECONDS: Final = 10.0
# A process that forked while we looked at the others is found by the second look.
LOOKS: Final = 2
# Orders are sent together up to this size; a socket takes some 200 kB at once.
MESSAGE_BYTES: Final = 60_000
# What an order takes beside its parameters, at most; these may be longer in JSON than by themselves.
_ORDER_BYTES: Final = 500


class LocalEngine:
    """One warm parent and the sockets to it."""

    # The warm parents of this process: children of ours that no sweep for another one may touch.
    _living: ClassVar[set[int]] = set()

    def __init__(
        self, settings: Settings, launcher_id: str, application: str, slots: int, *, name: str = "main"
    ) -> None:
        self.settings, self.launcher_id, self.name = settings, launcher_id, name
        self._given = {
            "approved": {name: _plain(each) for name, each in settings.approved.items()},
            "start_method": settings.start_method,
            "jobs_per_process": settings.jobs_per_process,
            "grace_seconds": settings.grace_seconds,
            "nice": settings.nice,
            "log_dir": str(settings.log_dir.absolute()),
            "log_limit_bytes": settings.log_limit_bytes,
            "application": application,
            "slots": slots,
        }
        self._early: list[dict[str, Any]] = []
        # Whoever is our child and not of these was started or left to us by a warm parent.
        self._others = frozenset(processes.children())
        self.start_up()

    def start_up(self) -> None:
        """Start the warm parent; it loads handlers while we go on."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reports, reporting = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # The id tells whose it is in `ps`, and makes room for the titles of the processes forked from it.
        arguments = [
            *(str(each.fileno()) for each in (theirs, reporting)),
            self.launcher_id,
            str(os.getpid()),
        ]
        self.parent = subprocess.Popen(
            [sys.executable, "-m", "app.runner.warm", *arguments],
            pass_fds=[theirs.fileno(), reporting.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=dict(os.environ)
            | {processes.MARK: self._mark, "PYTHONPATH": _python_path()}
            # Titles must leave the environment readable: a sweep knows processes by the mark in it.
            | {"SPT_NOENV": "1"},
        )
        theirs.close()
        reporting.close()
        self._living.add(self.parent.pid)
        # Before it hears anything: whatever it starts is born into the group.
        self.group = groups.make(self.launcher_id, self.name, self.parent.pid)
        self.control.setblocking(False)
        self.reports.setblocking(False)
        # Killed already: the next look at it says so.
        with contextlib.suppress(EngineGone):
            self._send(json.dumps(self._given).encode())

    def start(self, orders: Sequence[Order]) -> None:
        """Start attempts. Raises `EngineGone` when there is no warm parent to do it."""
        some: list[Order] = []
        size = 0
        for order in orders:
            some.append(order)
            size += _ORDER_BYTES + 2 * len(order.parameters)
            if size > MESSAGE_BYTES:
                self._send_orders(some)
                some, size = [], 0
        self._send_orders(some)

    def _send_orders(self, orders: list[Order]) -> None:
        if orders:
            self._send(b'{"orders":' + json.dumps(orders, ensure_ascii=False).encode() + b"}")

    def stop(self, job_id: int, reason: str, grace: float) -> None:
        """End a job's processes: asked first, killed after `grace` seconds; its end is reported as any."""
        self._send(json.dumps({"stop": job_id, "reason": reason, "grace": grace}).encode())

    def messages(self) -> list[dict[str, Any]]:
        """Give what has been reported since the last call."""
        self._receive()
        given, self._early = self._early, []
        return given

    def is_alive(self) -> bool:
        """Whether the warm parent is there."""
        return self.parent.poll() is None

    def hang_up(self) -> None:
        """Have the warm parent begin to end whatever it has, and itself."""
        self.control.close()
        self.reports.close()

    def close(self) -> None:
        """Have the warm parent end whatever it has, and itself; see it gone."""
        self.hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.parent.wait(timeout=SWEEP_SECONDS)
        self.sweep()

    def sweep(self) -> None:
        """Kill every process that a warm parent of this engine left behind."""
        if self.parent.poll() is None:
            self.parent.kill()
            self.parent.wait()
        self._living.discard(self.parent.pid)
        _sweep([self._mark], [self.group] if self.group else [], self._adopted)
        self.group = None

    @property
    def _mark(self) -> str:
        return f"{self.launcher_id}-{self.name}"

    def _adopted(self) -> list[int]:
        """Give what the end of a warm parent has made our children, marked or not."""
        kept = self._others | self._living
        return [pid for pid in processes.children() if pid not in kept]

    def _send(self, data: bytes) -> None:
        # The warm parent may be waiting for us to read while we wait for it to.
        while True:
            try:
                self.control.send(data)
            except BlockingIOError:
                self._receive()
                select.select([self.reports], [self.control], [], 1.0)
            except OSError as error:
                raise EngineGone from error
            else:
                return

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self.reports.recv(LARGEST_MESSAGE):
                said = json.loads(data)
                self._early += said if isinstance(said, list) else [said]


class EngineGone(Exception):
    """The warm parent is not there any more; what it ran is not either, once swept."""


def sweep(*launcher_ids: str) -> None:
    """Kill every process on this machine that descends from these launchers, and see it dead."""
    if launcher_ids:
        _sweep(launcher_ids, groups.of_launchers(*launcher_ids), list)


def _sweep(marks: Sequence[str], born_into: Sequence[Group], adopted: Callable[[], list[int]]) -> None:
    """Kill what is in the groups, what has a mark in its environment, and what we have adopted."""
    until = time.monotonic() + SWEEP_SECONDS
    looks = 0
    while time.monotonic() < until and looks < LOOKS:
        _reap_adopted()
        hiding = [group for group in born_into if not group.is_empty()]
        for group in hiding:
            group.kill()
        found = [each for pid in adopted() for each in processes.tree(pid)]
        left = processes.living([*found, *processes.marked(*marks)])
        looks = 0 if left or hiding else looks + 1
        processes.send_signal(left, signal.SIGKILL)
        time.sleep(0.02)
    for group in born_into:
        group.remove()


def _reap_adopted() -> None:
    for pid in processes.children():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _plain(approval: Any) -> dict[str, Any]:
    given = {"methods": list(approval.methods), "timeout": approval.timeout, "retries": approval.retries}
    return {name: value for name, value in given.items() if value is not None}


def _python_path() -> str:
    """Let job processes find what this process finds: modules beside the host's application too."""
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
