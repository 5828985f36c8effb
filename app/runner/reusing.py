"""The warm parent's side of processes that are reused: what each was given, and what is left of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import setproctitle

from app.runner import processes
from app.runner.exec import Order, prepare_output
from app.runner.logs import attempt_log_path
from app.runner.serving import Spool, serve
from app.runner.slate import Slate
from app.runner.starting import Child, become

if TYPE_CHECKING:
    from app.runner.launcher import WarmParent

# A job that takes so long, in seconds, is shown with its process, its log and its progress.
LONG_SECONDS: Final = 0.05
MOST_IN_BATCH: Final = 64
BATCH_BYTES: Final = 100_000


@dataclass(kw_only=True)
class Reused(Child):
    """A process that runs batches of jobs, one after the other."""

    orders: socket.socket
    slate: Slate
    log_dir: Path
    log_limit: int
    # How many jobs it may still be given.
    left: int
    is_silent: bool = False
    batch: list[Order] = field(default_factory=list)
    shown: int = 0

    def give(self, batch: list[Order]) -> None:
        """Have it run these orders."""
        self.batch, self.shown = batch, 0
        self.left -= len(batch)
        self.slate.wipe()
        with contextlib.suppress(OSError):  # it has just died: its end will be seen
            self.orders.send(json.dumps(batch, ensure_ascii=False).encode())

    def descriptors(self) -> list[int]:
        """Give what its parent has open for it."""
        return [self.orders.fileno()]

    def current(self) -> Order | None:
        """Give the order that is under way."""
        now = self.slate.now()
        return self.batch[now.place] if now.job_id and 0 <= now.place < len(self.batch) else None

    def unfinished(self) -> list[Order]:
        """Give the orders of its batch that have not come to a reported end, but the one under way."""
        now = self.slate.now()
        if not now.job_id:
            return self.batch[self.slate.sent() :]
        return self.batch[self.slate.sent() : now.place] + self.batch[now.place + 1 :]

    def look(self) -> dict[str, Any] | None:
        """Show the job under way once it takes long; give what to say of it. Keep its output capped."""
        order = self.current()
        if order is None:
            return None
        now = self.slate.now()
        self._cap()
        if self.shown == now.job_id or time.monotonic() - now.began < LONG_SECONDS:
            return None
        self.shown = now.job_id
        self._link(order)
        who = {"pid": self.pid, "process_started": processes.start_time(self.pid)}
        return {"kind": "started", "job": order.job_id, "attempt": order.attempt, **who}

    def is_over_time(self) -> bool:
        """Whether the job under way has taken longer than it may."""
        order, now = self.current(), self.slate.now()
        limit = order.timeout_seconds if order else None
        return limit is not None and bool(now.job_id) and time.monotonic() - now.began >= limit

    @property
    def spool(self) -> Path:
        """Where it prints to."""
        return self.log_dir / f"spool.{self.pid}"

    def _cap(self) -> None:
        with contextlib.suppress(OSError):
            if self.spool.stat().st_size > 2 * self.log_limit:
                os.truncate(self.spool, self.log_limit + 1)

    def _link(self, order: Order) -> None:
        path = attempt_log_path(self.log_dir, order.job_id, order.attempt)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.spool, path)

    def keep_log(self) -> int:
        """Keep what the job under way had printed when its process ended; give its size."""
        order = self.current()
        size = 0
        with contextlib.suppress(OSError):
            size = self.spool.stat().st_size
            if order is not None and size:
                self._link(order)
        with contextlib.suppress(OSError):
            self.spool.unlink()
        return min(size, self.log_limit)


def start_reused(parent: WarmParent) -> Reused:
    """Fork a process that waits for batches."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    slate = Slate()
    slate.wipe()
    log_dir, limit = Path(parent.given["log_dir"]), int(parent.given["log_limit_bytes"])
    parent_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        others = (*parent.descriptors(), ours.fileno())
        become(parent_pid, others, lambda: _serve(parent, theirs, slate, log_dir, limit))
    theirs.close()
    ours.setblocking(False)
    left = int(parent.given["jobs_per_process"])
    return Reused(pid=pid, orders=ours, slate=slate, log_dir=log_dir, log_limit=limit, left=left)


def clear_spools(log_dir: Path) -> None:
    """Take away what processes that are gone have printed to, for no job that anybody knows."""
    for spool in log_dir.glob("spool.*"):
        pid = spool.suffix[1:]
        if pid.isdigit() and processes.start_time(int(pid)) is None:
            with contextlib.suppress(OSError):
                spool.unlink()


def next_batch(waiting: list[Order], slots: int, left: int) -> int:
    """Say how many of the waiting orders make the next batch: a fair share, and not too large to send."""
    most = min(left, MOST_IN_BATCH, -(-len(waiting) // slots))
    size = 0
    for count, order in enumerate(waiting[:most]):
        size += 4 * len(order.parameters) + 500
        if size > BATCH_BYTES and count:
            return count
    return max(1, most)


def _serve(parent: WarmParent, orders: socket.socket, slate: Slate, log_dir: Path, limit: int) -> None:
    spool = Spool(log_dir, limit)
    prepare_output()
    setproctitle.setproctitle("python -m app.runner.exec (reused)")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    serve(orders, parent.report, slate, parent.registry, parent.given, spool)
