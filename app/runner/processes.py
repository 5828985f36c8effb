"""Processes as the system knows them: who one is, who belongs to it, and how to end them all.

A pid alone names nobody for long; with the start time it does. psutil is loaded only when
something has to be ended, so that the processes that run jobs stay small.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psutil

# From linux/prctl.h.
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_SIGKILL: Final = int(signal.SIGKILL)

# Two ticks of the clock that start times are given in, in seconds.
_TICKS: Final = 0.02
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")

# Its value is the launcher's id, and after a hyphen which of its engines started the process.
MARK: Final = "RUNNER_LAUNCHER"

# None where the system has no such call.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def start_time(pid: int) -> float | None:
    """Give when a process started, in seconds since the machine did; None if there is none."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return _portable_start_time(pid)
    return None if fields[0] == b"Z" else int(fields[19]) / _TICKS_A_SECOND


def is_alive(pid: int, started: float) -> bool:
    """Whether this very process is alive, and not another with its pid."""
    found = start_time(pid)
    return found is not None and abs(found - started) < _TICKS


def host() -> str:
    """Give the name under which this machine signs attempts."""
    return socket.gethostname()[:255]


def boot_id() -> str:
    """Name this start of this machine, and the view of processes we have: pids mean nothing outside of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"[:64]
    except OSError:
        import psutil

        return f"{psutil.boot_time():.0f}"


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own, so that none gets away."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stay_with_parent(parent_pid: int) -> None:
    """Die when the parent does, even if it is killed; and adopt orphans until then."""
    adopt_orphans()
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def outlive_parent() -> None:
    """Take back that we die with our parent: there is something to see to when it is gone."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def children() -> list[int]:
    """Give the pids of this process's own children, the adopted ones too."""
    try:
        return [int(pid) for pid in _read(f"/proc/self/task/{os.getpid()}/children").split()]
    except OSError:
        import psutil

        return [each.pid for each in psutil.Process().children()]


def tree(pid: int) -> list[psutil.Process]:
    """Give a process with all its descendants, whatever sessions or groups they moved to."""
    import psutil

    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def marked(*names: str) -> list[psutil.Process]:
    """Give every process here of these launchers, or engines of one, by the mark in its environment."""
    import psutil

    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            mark = each.environ().get(MARK)
            if mark and each.pid != os.getpid() and {mark, mark.partition("-")[0]} & {*names}:
                found.append(each)
    return found


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Leave out those that are dead, are zombies, or whose pid is another's by now."""
    import psutil

    alive = []
    for each in processes:
        with contextlib.suppress(psutil.Error):
            if each.is_running() and each.status() != psutil.STATUS_ZOMBIE:
                alive.append(each)
    return alive


def send_signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Signal each, if it still is who it was."""
    import psutil

    for each in processes:
        with contextlib.suppress(psutil.Error, OSError):
            each.send_signal(number)


def _read(path: str) -> bytes:
    """Read a file of the kernel's with as little work as can be: this is done for every job."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(descriptor, 65_536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _portable_start_time(pid: int) -> float | None:
    if Path("/proc/self/stat").exists():
        return None
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None
