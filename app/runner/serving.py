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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
# Guessed, for counting them exactly would cost more than sending them.
_DONE_BYTES: Final = 100
_CHARACTER_BYTES: Final = 4
LARGEST_BATCH: Final = 1 << 20
_MEMORY_UNIT: Final = 1 if sys.platform == "darwin" else 1024


# Seconds, CPU seconds, and the most memory, in bytes.
Spent = tuple[float, float, int]


class Done(NamedTuple):
    """How a job of a reused process ended; travels as JSON, without names, for there are many."""

    job_id: int
    attempt: int
    # What its handler came to, and None where it completed: then its result is all there is to say.
    said: dict[str, Any] | None
    result: str | None
    seconds: float
    cpu_seconds: float
    # Of the process so far: it is not known which of its jobs it was for.
    peak_memory_bytes: int
    log_bytes: int


class Reports:
    """What is to be said about jobs that have ended, gathered."""

    def __init__(self, report: socket.socket, slate: Slate) -> None:
        self._report, self._slate = report, slate
        self._who = {"pid": os.getpid(), "process_started": processes.start_time(os.getpid())}
        self._ended: list[Done] = []
        self._bytes = 0
        self._flushed_at = time.monotonic()
        self.said: dict[str, Any] = {}
        self.count = 0

    def begin_batch(self) -> None:
        """Count anew."""
        self.count = 0

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take what a handler's run says: progress goes on at once, its result is completed first."""
        if message["kind"] == "result":
            self.said = dict(message)
        else:
            self._report.send(json.dumps(message, ensure_ascii=False).encode())

    def ended(self, order: Order, spent: Spent, log_bytes: int) -> None:
        """Add the job that has just ended, with what was measured of it."""
        is_completed = self.said["outcome"] == "completed"
        said = None if is_completed else self.said
        result = self.said["result"] if is_completed else None
        size = _DONE_BYTES
        if result is not None or said is not None:
            size += _CHARACTER_BYTES * sum(len(each) for each in self.said.values() if isinstance(each, str))
        if self._bytes + size > FLUSH_BYTES:
            self.flush()
        self._ended.append(Done(order.job_id, order.attempt, said, result, *spent, log_bytes))
        self._bytes += size
        self.count += 1
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what there is."""
        if self._ended:
            message = {"kind": "done", **self._who, "of": self._ended}
            self._report.send(json.dumps(message, ensure_ascii=False).encode())
            self._slate.note_sent(self.count)
        self._ended, self._bytes = [], 0
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
    reports = Reports(report, slate)
    while left > 0 and (data := orders.recv(LARGEST_BATCH)):
        batch = json.loads(data)
        reports.begin_batch()
        meter = Meter()
        for index, each in enumerate(batch):
            order = Order._make(each)
            slate.begin(order.job_id, order.attempt, index)
            perform(order, registry, str(given["application"]), reports.hear)
            _end_children()
            reports.ended(order, meter.read(), spool.collect(order))
        reports.flush()
        slate.rest(len(batch))
        left -= len(batch)
        orders.send(b"more")
    with contextlib.suppress(OSError):
        spool.path.unlink()
    os._exit(0)


class Meter:
    """What this process has spent since it was last asked."""

    def __init__(self) -> None:
        self._at, self._cpu = time.monotonic(), time.process_time()

    def read(self) -> Spent:
        """Give seconds, CPU seconds, and the most memory it ever held, in bytes."""
        before_at, before_cpu = self._at, self._cpu
        self._at, self._cpu = time.monotonic(), time.process_time()
        seconds, cpu = round(self._at - before_at, 6), round(self._cpu - before_cpu, 6)
        return seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MEMORY_UNIT


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
