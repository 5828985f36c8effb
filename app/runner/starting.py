"""Two ways to start the process of an attempt, and what is known of one that was started.

Either way the process is started first and told its order afterwards, on a pipe of its own: so a
forked one can be made before there is anything for it to do.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import setproctitle

from app.runner import child as child_process
from app.runner import processes
from app.runner.exec import Order
from app.runner.output import Output

if TYPE_CHECKING:
    import resource
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from app.runner.launcher import WarmParent

_REPORT_FD: Final = 3
# sysexits.h: an error of the runner's own.
_EX_SOFTWARE: Final = 70
# What a job prints is looked at from then on, in seconds; of a shorter one, at its end.
WATCH_SECONDS: Final = 0.05
_CHUNK: Final = 65_536


@dataclass(kw_only=True)
class Child:
    """The process of an attempt, from its start until nothing of it is left."""

    pid: int
    started: float | None = None
    # Where it is told its order, until it has been.
    asking: int | None = None
    # Where what it prints comes out, until there is an order that it belongs to.
    printing: int | None = None
    order: Order | None = None
    # It was dead before it could be told: it has begun nothing.
    is_unasked: bool = False
    output: Output | None = None
    watch_at: float | None = None
    deadline: float | None = None
    is_silent: bool = True
    stopped: str | None = None
    # The strongest signal that was needed to end it.
    stop_signal: int | None = None
    kill_at: float = 0.0
    # All that belonged to it when it was told to end.
    tree: list[Any] = field(default_factory=list)
    status: int | None = None
    usage: resource.struct_rusage | None = None

    def take(self, order: Order, log_dir: Path, log_limit: int) -> None:
        """Be the process of this attempt, from now on."""
        now = time.monotonic()
        self.order, self.watch_at = order, now + WATCH_SECONDS
        self.deadline = None if order.timeout_seconds is None else now + order.timeout_seconds
        printing, self.printing = self.printing, None
        if printing is not None:
            self.output = Output(printing, log_dir, order, log_limit)

    def ask(self, given: bytes) -> None:
        """Tell it what to run; a pipe holds what that can be, or the process reads along."""
        asking, self.asking = self.asking, None
        if asking is None:
            return
        try:
            while given:
                given = given[os.write(asking, given) :]
        except BrokenPipeError:
            self.is_unasked = True
        finally:
            os.close(asking)

    def next_look(self) -> float:
        """When it has to be looked at, if nothing happens before."""
        return min(at for at in (self.watch_at, self.deadline, float("inf")) if at is not None)

    def descriptors(self) -> list[int]:
        """Give what its parent has open for it."""
        ours = (self.asking, self.printing, self.output.descriptor if self.output else None)
        return [each for each in ours if each is not None]

    def discard(self) -> None:
        """Close what was open for a process that never had an order."""
        for each in self.descriptors():
            os.close(each)

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


def fork(parent: WarmParent, others: Iterable[int]) -> Child:
    """Start a process as a copy of the warm parent, fresh and with everything loaded; it awaits an order.

    It closes `others`: what is open for anybody else.
    """
    awaiting, asking = os.pipe()
    reading, writing = os.pipe()
    parent_pid = os.getpid()
    try:
        pid = os.fork()
    except BaseException:
        for each in (awaiting, asking, reading, writing):
            os.close(each)
        raise
    if pid == 0:
        become(parent_pid, (*others, asking, reading), lambda: _run_one(parent, awaiting, writing))
    os.close(awaiting)
    os.close(writing)
    return Child(pid=pid, asking=asking, printing=reading, started=processes.start_time(pid))


def spawn(parent: WarmParent, order: Order) -> Child:
    """Start a new interpreter that has nothing loaded; it awaits the order."""
    reading, writing = os.pipe()
    awaiting, asking = os.pipe()
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
                (os.POSIX_SPAWN_DUP2, awaiting, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, writing, 2),
                (os.POSIX_SPAWN_DUP2, parent.report.fileno(), _REPORT_FD),
            ],
            setsid=True,
            setsigdef=_DEFAULTED,
        )
    except BaseException:
        os.close(reading)
        os.close(asking)
        raise
    finally:
        os.close(writing)
        os.close(awaiting)
    return Child(pid=pid, asking=asking, printing=reading, started=processes.start_time(pid))


_DEFAULTED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)


def become(parent_pid: int, others: Iterable[int], run: Callable[[], None]) -> None:
    """Turn a fork of the warm parent into a process of jobs, with a session of its own; never returns."""
    try:
        os.setsid()
        processes.stay_with_parent(parent_pid)
        for number, action in _ACTIONS:
            _set_signal(number, action)
        # Kept are the report socket and the handlers' own files; what is the warm parent's is closed.
        os.close(signal.set_wakeup_fd(-1))
        for descriptor in others:
            os.close(descriptor)
        run()
    except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(_EX_SOFTWARE)


_ACTIONS: Final = (
    (int(signal.SIGINT), signal.default_int_handler),
    (int(signal.SIGTERM), int(signal.SIG_DFL)),
    (int(signal.SIGHUP), int(signal.SIG_DFL)),
    (int(signal.SIGCHLD), int(signal.SIG_DFL)),
)
# The call itself, without the names that the usual one looks up for what it gives back.
_set_signal: Final[Any] = getattr(signal.signal, "__wrapped__", signal.signal)


def _run_one(parent: WarmParent, awaiting: int, writing: int) -> None:
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(writing)
    setproctitle.setproctitle("python -m app.runner.exec (awaits a job)")
    if not parent.waiting:
        # While nobody waits for it: what is touched here for the first time need not be when a job has come.
        child_process.rehearse(1)
    given = b""
    while not given.endswith(b"\n"):
        if not (more := os.read(awaiting, _CHUNK)):
            os._exit(0)
        given += more
    os.close(awaiting)
    order = Order(*json.loads(given))
    setproctitle.setproctitle(f"python -m app.runner.exec {order.job_id}")
    child_process.run(order, parent.registry, parent.given["application"], parent.report)
