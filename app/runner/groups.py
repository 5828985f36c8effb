"""Control groups: the one way to find every process of a launcher, whatever it did to hide.

A process with an empty environment, in a session of its own, whose parents are all dead, is still in
the control group that it was born in. Each warm parent gets one, where this account may make them
(version 2, below our own): as root, in a user's own session, in a container or service that was
given the right (`Delegate=yes`). Elsewhere processes are known by the mark in their environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "runner-"
_TYPE: Final = "cgroup2"
_TRIES: Final = 3


@dataclass(frozen=True)
class Group:
    """One control group, by its folder."""

    path: Path

    def take(self, pid: int) -> None:
        """Put a process into it, and with it all that it will start."""
        (self.path / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def kill(self) -> None:
        """Kill every process in it, at once."""
        try:
            (self.path / "cgroup.kill").write_text("1", encoding="ascii")
        except OSError:
            # Linux before 5.14: one by one, as often as we are called.
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def is_empty(self) -> bool:
        """Whether no process is alive in it."""
        try:
            return "populated 0" in (self.path / "cgroup.events").read_text(encoding="ascii").splitlines()
        except OSError:
            return True

    def remove(self) -> None:
        """Take it away, with those that its processes have made in it; one that is not empty stays."""
        for folder, _, _ in os.walk(self.path, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()

    def _pids(self) -> Iterator[int]:
        for folder, _, _ in os.walk(self.path):
            with contextlib.suppress(OSError):
                yield from map(int, (Path(folder) / "cgroup.procs").read_text(encoding="ascii").split())


def make(launcher_id: str, name: str, pid: int) -> Group | None:
    """Put a process of a launcher into a group of its own; None where that cannot be had."""
    own = own_folder()
    if own is None:
        return None
    group = Group(own / f"{_PREFIX}{launcher_id}-{name}")
    for _ in range(_TRIES):
        try:
            group.path.mkdir(exist_ok=True)
            group.take(pid)
        except FileNotFoundError:
            continue  # somebody who tidies up has just found it empty
        except OSError:
            group.remove()
            return None
        return group
    return None


def tidy() -> None:
    """Take away the empty groups beside ours of launchers that nobody remembers."""
    own = own_folder()
    for path in own.glob(f"{_PREFIX}*") if own else ():
        if (group := Group(path)).is_empty():
            group.remove()


def of_launchers(*launcher_ids: str) -> list[Group]:
    """Find the groups of these launchers, wherever on this machine they were started from."""
    top = _top()
    if top is None or not launcher_ids:
        return []
    wanted = tuple(f"{_PREFIX}{each}-" for each in launcher_ids)
    return [
        Group(Path(folder, name))
        for folder, names, _ in os.walk(top[0])
        for name in names
        if name.startswith(wanted)
    ]


def is_usable() -> bool:
    """Try whether this account may make a group and put a process into it."""
    command = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as trial:  # noqa: S603 - nothing of anybody's in it
        group = make("check", str(trial.pid), trial.pid)
        trial.kill()
    if group is not None:
        group.remove()
    return group is not None


def own_folder() -> Path | None:
    """Give the folder of the group that this process is in."""
    top = _top()
    if top is None:
        return None
    folder, shown = top
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        path = next(line[3:] for line in lines if line.startswith("0::"))
        found = folder / Path(path).relative_to(shown)
        return found if (found / "cgroup.procs").exists() else None
    return None


def _top() -> tuple[Path, str] | None:
    """Give where control groups of version 2 are mounted, and which of them is seen there."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
            fields, _, of_kind = line.partition(" - ")
            if of_kind.startswith(f"{_TYPE} "):
                return Path(fields.split()[4]), fields.split()[3]
    return None
