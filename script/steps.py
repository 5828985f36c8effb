"""One step of script/test: a program, bounded in time, with what it printed and came to."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Final, NamedTuple

MOST_SECONDS: Final = 900
PUMP_SECONDS: Final = 5
TIMED_OUT: Final = 124
COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
CLOSING: Final = re.compile(r"=+ (.*\b(?:passed|failed|skipped|errors?|no tests ran|deselected)\b.*?) =+\s*$")


class Step(NamedTuple):
    """A program to run; what it prints is shown as it comes, or only when it fails."""

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    is_shown: bool = False


class Result(NamedTuple):
    """What became of a step; `closing` is pytest's last line."""

    name: str
    exit_code: int
    seconds: float
    closing: str

    @property
    def is_good(self) -> bool:
        """Whether the step found nothing wrong."""
        return self.exit_code == 0


def run(step: Step) -> Result:
    """Run the step to its end, or to the end of its time."""
    if step.is_shown:
        print(f"\n{step.name}: {step.command}", flush=True)
    began = time.monotonic()
    with start(step) as process:
        pump = Pump(process.stdout, is_shown=step.is_shown)
        try:
            exit_code = wait(process, step)
        finally:
            end(process)
        # Not for ever: something that outlived the step may still hold the other end.
        pump.join(PUMP_SECONDS)
    result = Result(step.name, exit_code, time.monotonic() - began, closing_line(pump.lines))
    if not step.is_shown:
        print(f"{'ok    ' if result.is_good else 'FAILED'} {step.name} ({result.seconds:.1f} s)", flush=True)
        print("" if result.is_good else "".join(pump.lines), end="", flush=True)
    return result


def start(step: Step) -> subprocess.Popen[str]:
    """Start the program in a process group of its own, so that all of it can be ended."""
    return subprocess.Popen(
        [*shlex.split(step.command), *step.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,
    )


def wait(process: subprocess.Popen[str], step: Step) -> int:
    """Wait for the program; one that takes far too long counts as failed."""
    try:
        return process.wait(MOST_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{step.name} was ended: it took longer than {MOST_SECONDS} seconds.", flush=True)
        return TIMED_OUT


def end(process: subprocess.Popen[str]) -> None:
    """End what is left of the program's process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Pump(threading.Thread):
    """Keeps what a program prints, and shows it when asked to."""

    def __init__(self, pipe: IO[str] | None, *, is_shown: bool) -> None:
        """Begin to read at once."""
        super().__init__(daemon=True)
        self.lines: list[str] = []
        self._pipe, self._is_shown = pipe, is_shown
        self.start()

    def run(self) -> None:
        """Read to the end."""
        for line in self._pipe or ():
            self.lines.append(line)
            if self._is_shown:
                sys.stdout.write(line)
                sys.stdout.flush()


def closing_line(lines: list[str]) -> str:
    """Find pytest's last word among the lines; empty when it was not pytest."""
    for line in reversed(lines):
        found = CLOSING.match(COLOURS.sub("", line))
        if found:
            return found[1]
    return ""
