"""A process that is reused: it runs one batch of orders after the other until it has had its number.

Reports go out together every millisecond or so. What a job prints goes to a file of the process,
which becomes the job's log when the job has ended and there is something in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from app.runner import processes
from app.runner.exec import Order, perform
from app.runner.logs import attempt_log_path

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from app.runner.registry import Registry
    from app.runner.slate import Slate

FLUSH_SECONDS: Final = 0.001
# A report must fit what a socket takes at once.
FLUSH_BYTES: Final = 60_000
LARGEST_BATCH: Final = 1 << 20
_MEMORY_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class Reports:
    """What is to be said about jobs that have ended, gathered."""

    def __init__(self, report: socket.socket, slate: Slate) -> None:
        self._report, self._slate = report, slate
        self._parts: list[bytes] = []
        self._bytes = 0
        self._flushed_at = time.monotonic()
        self.said: dict[str, Any] = {}
        self.count = 0

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take what a handler's run says: progress goes on at once, its result is completed first."""
        if message["kind"] == "result":
            self.said = dict(message)
        else:
            self._report.send(json.dumps(message, ensure_ascii=False).encode())

    def ended(self, measured: dict[str, Any]) -> None:
        """Add the job that has just ended."""
        part = json.dumps(self.said | measured, ensure_ascii=False).encode()
        if self._bytes + len(part) > FLUSH_BYTES:
            self.flush()
        self._parts.append(part)
        self._bytes += len(part)
        self.count += 1
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what there is."""
        if self._parts:
            self._report.send(b'{"kind":"done","of":[' + b",".join(self._parts) + b"]}")
            self._slate.note_sent(self.count)
        self._parts, self._bytes = [], 0
        self._flushed_at = time.monotonic()


class Spool:
    """The file that a reused process prints to."""

    def __init__(self, log_dir: Path, limit: int) -> None:
        self.log_dir, self.limit = log_dir, limit
        self.path = log_dir / f"spool.{os.getpid()}"
        self.open()

    def open(self) -> None:
        """Make an empty file and print to it from now on."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        try:
            opened = os.open(self.path, flags, 0o600)
        except OSError:
            opened = os.open(os.devnull, os.O_WRONLY)
        os.dup2(opened, 1)
        os.dup2(opened, 2)
        os.close(opened)

    def collect(self, order: Order) -> int:
        """Make what was printed the log of this job; give its size."""
        size = os.fstat(1).st_size
        if size == 0:
            return 0
        if size > self.limit:
            os.ftruncate(1, self.limit)
            os.write(1, f"\n[output cut here: more than {self.limit} bytes]\n".encode())
            size = os.fstat(1).st_size
        path = attempt_log_path(self.log_dir, order.job_id, order.attempt)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # It may be there already: the parent shows the log of a job that takes long.
            with contextlib.suppress(FileExistsError):
                os.link(self.path, path)
            self.path.unlink()
        self.open()
        return size


def serve(
    orders: socket.socket,
    report: socket.socket,
    slate: Slate,
    registry: Registry,
    given: Mapping[str, Any],
    spool: Spool,
) -> None:
    """Run batches until the number is reached or the parent is gone; never returns."""
    left = int(given["jobs_per_process"])
    identity = {"pid": os.getpid(), "process_started": processes.start_time(os.getpid())}
    while left > 0 and (data := orders.recv(LARGEST_BATCH)):
        batch = json.loads(data)
        reports = Reports(report, slate)
        for index, each in enumerate(batch):
            order = Order._make(each)
            slate.begin(order.job_id, order.attempt, index)
            _run(order, reports, registry, str(given["application"]), spool, identity)
        reports.flush()
        slate.rest(len(batch))
        left -= len(batch)
        orders.send(b"more")
    with contextlib.suppress(OSError):
        spool.path.unlink()
    os._exit(0)


def _run(
    order: Order,
    reports: Reports,
    registry: Registry,
    application: str,
    spool: Spool,
    identity: Mapping[str, Any],
) -> None:
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    perform(order, registry, application, reports.hear)
    _end_children()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    reports.ended(
        {
            **identity,
            "seconds": time.monotonic() - began,
            "exit_code": None,
            "signal": None,
            "cpu_seconds": round(spent, 6),
            # Of the process so far: it is not known which of its jobs it was for.
            "peak_memory_bytes": after.ru_maxrss * _MEMORY_UNIT,
            "log_bytes": spool.collect(order),
            "stopped": None,
            "stop_signal": None,
        }
    )


def _end_children() -> None:
    """End whatever the job has started and left: the next one must not inherit it."""
    while _has_children():
        processes.send_signal(processes.tree(os.getpid())[1:], signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
