"""Two ways to start the process of an attempt, and what is known of one that was started."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import setproctitle

from app.runner import child as child_process
from app.runner import processes
from app.runner.logs import attempt_log_path
from app.runner.output import Output

if TYPE_CHECKING:
    import resource
    import socket
    from collections.abc import Callable

    from app.runner.exec import Order
    from app.runner.launcher import WarmParent

_REPORT_FD: Final = 3
# sysexits.h: an error of the runner's own.
_EX_SOFTWARE: Final = 70


@dataclass(kw_only=True)
class Child:
    """The process of an attempt, from its start until nothing of it is left."""

    pid: int
    order: Order | None = None
    output: Output | None = None
    deadline: float | None = None
    is_silent: bool = False
    stopped: str | None = None
    # The strongest signal that was needed to end it.
    stop_signal: int | None = None
    kill_at: float = 0.0
    # All that belonged to it when it was told to end.
    tree: list[Any] = field(default_factory=list)
    status: int | None = None
    usage: resource.struct_rusage | None = None

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return self.stopped is not None

    def end(self, reason: str, grace: float) -> None:
        """Ask it, and all that it started, to end; after `grace` seconds they are killed."""
        self.stopped, self.stop_signal = reason, int(signal.SIGTERM)
        self.kill_at = time.monotonic() + grace
        self.tree = processes.tree(self.pid)
        processes.send_signal(self.tree, signal.SIGTERM)

    def kill_if_over(self, now: float) -> None:
        """Kill it and everything that belongs to it by now, if its time to end by itself is over."""
        if now >= self.kill_at:
            self.kill_also(processes.tree(self.pid))

    def kill_also(self, left: list[Any]) -> None:
        """Kill what is left of it."""
        if self.is_ending:
            self.stop_signal = int(signal.SIGKILL)
        self.tree = list({*self.tree, *left})
        processes.send_signal(left, signal.SIGKILL)

    def ended(self, status: int, usage: resource.struct_rusage) -> None:
        """Note how the process ended."""
        self.status, self.usage = status, usage

    def report(self) -> dict[str, Any]:
        """Say how it ended, for the launcher."""
        code = os.waitstatus_to_exitcode(self.status or 0)
        usage = self.usage
        return {
            "kind": "ended",
            "job": self.order.job_id if self.order else 0,
            "attempt": self.order.attempt if self.order else 0,
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 6) if usage else None,
            "peak_memory_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            if usage
            else None,
            "log_bytes": self.output.kept if self.output else 0,
            "stopped": self.stopped,
            "stop_signal": self.stop_signal,
        }


def fork(parent: WarmParent, order: Order) -> Child:
    """Start an attempt in a copy of the warm parent: fresh, and with everything loaded."""
    reading, writing = os.pipe()
    parent_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        become(parent, parent_pid, (), lambda: _run_one(parent, order, reading, writing))
    os.close(writing)
    return _child(parent, order, pid, reading)


def spawn(parent: WarmParent, order: Order) -> Child:
    """Start an attempt in a new interpreter that has nothing loaded."""
    reading, writing = os.pipe()
    order_reading, order_writing = os.pipe()
    given = {"order": order._asdict(), "approved": parent.given["approved"]}
    given |= {"application": parent.given["application"]}
    environment = dict(os.environ) | {
        "RUNNER_REPORT_FD": str(_REPORT_FD),
        "RUNNER_PARENT_PID": str(os.getpid()),
    }
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "app.runner.exec", str(order.job_id)],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, order_reading, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, writing, 2),
                (os.POSIX_SPAWN_DUP2, parent.report.fileno(), _REPORT_FD),
            ],
            setsid=True,
            setsigdef=_DEFAULTED,
        )
    except BaseException:
        os.close(reading)
        os.close(order_writing)
        raise
    finally:
        os.close(writing)
        os.close(order_reading)
    _write_all(order_writing, json.dumps(given).encode())
    return _child(parent, order, pid, reading)


_DEFAULTED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)


def _child(parent: WarmParent, order: Order, pid: int, reading: int) -> Child:
    path = attempt_log_path(Path(parent.given["log_dir"]), order.job_id, order.attempt)
    output = Output(reading, path, int(parent.given["log_limit_bytes"]))
    limit = order.timeout_seconds
    deadline = None if limit is None else time.monotonic() + limit
    return Child(pid=pid, order=order, output=output, deadline=deadline)


def become(
    parent: WarmParent, parent_pid: int, others: tuple[socket.socket, ...], run: Callable[[], None]
) -> None:
    """Turn a fork of the warm parent into a process of jobs, with a session of its own; never returns."""
    try:
        os.setsid()
        processes.stay_with_parent(parent_pid)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _let_go(parent, others)
        run()
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(_EX_SOFTWARE)


def _let_go(parent: WarmParent, others: tuple[socket.socket, ...]) -> None:
    """Keep the report socket and the handlers' own files; close what is the warm parent's."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.close(signal.set_wakeup_fd(-1))
    for key in list(parent.selector.get_map().values()):
        os.close(key.fd)
    parent.selector.close()
    for each in others:
        each.close()


def _run_one(parent: WarmParent, order: Order, reading: int, writing: int) -> None:
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(reading)
    os.close(writing)
    setproctitle.setproctitle(f"python -m app.runner.exec {order.job_id}")
    child_process.run(order, parent.registry, parent.given["application"], parent.report)


def _write_all(descriptor: int, data: bytes) -> None:
    """Write an order whole; a pipe holds what an order can be, or the new process reads along."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        return
    finally:
        os.close(descriptor)
