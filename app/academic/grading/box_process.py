"""The process of one box and its pipes: started, killed and waited for."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from app.academic.grading.errors import AutograderError
from app.academic.grading.starvation import waited_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 1 << 16
_SILENCE_SECONDS = 2


class BoxProcess:
    """A launcher, and our ends of its pipes: input, replies, status, and streams 1 and 2; -1 when closed."""

    def __init__(self, command: Sequence[str], user: int | None) -> None:
        self.replies, self.replies_end = os.pipe()
        self.status, self.status_end = os.pipe()
        self.cpu_seconds = 0.0
        self._process = self._start(command, user)
        process = self._process
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101 - given below
        self.input = os.dup(process.stdin.fileno())
        process.stdin.close()
        self.streams = {1: process.stdout.fileno(), 2: process.stderr.fileno()}
        for descriptor in (self.input, self.replies, self.status, *self.streams.values()):
            os.set_blocking(descriptor, False)

    def _start(self, command: Sequence[str], user: int | None) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - our own program, without a shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(self.replies_end, self.status_end),
                start_new_session=True,
                bufsize=0,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        except OSError as error:
            os.close(self.replies)
            os.close(self.status)
            raise AutograderError(f"the sandbox cannot be started: {error}") from error
        finally:
            os.close(self.replies_end)
            os.close(self.status_end)

    def waited_seconds(self) -> float:
        """Return how long we and everything below us, the box too, stood in line for a processor."""
        return waited_seconds(os.getpid())

    def close_status(self) -> None:
        """Close the pipe on which the launcher told how its start went."""
        os.close(self.status)
        self.status = -1

    def close_input(self) -> None:
        """Close the pipe of requests: a box that still listens ends."""
        os.close(self.input)

    def kill(self) -> None:
        """End the process, if it is there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def reap(self, patience: float) -> int:
        """Wait for the process, killing it when patience is over, and for all that held its pipes."""
        end = time.monotonic() + patience
        pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        while not pid and time.monotonic() < end:
            time.sleep(0.001)
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        if not pid:
            self.kill()
            pid, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self._await_silence()
        return status

    def close_outputs(self) -> None:
        """Close the pipes of replies and of both streams, and that of the start when it failed."""
        os.close(self.replies)
        if self.status >= 0:
            self.close_status()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self.streams = {1: -1, 2: -1}

    def _await_silence(self) -> None:
        # Under bubblewrap the inner processes end a moment after the outer one; the reply pipe shows when.
        end = time.monotonic() + _SILENCE_SECONDS
        poll = select.poll()
        poll.register(self.replies, select.POLLIN)
        while time.monotonic() < end:
            if poll.poll(100) and not _read_some(self.replies):
                break


def _read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return b"?"


def is_readable(descriptor: int) -> bool:
    """Tell whether something waits on a pipe; its end alone is nothing."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    for _, events in poll.poll(0):
        return bool(events & select.POLLIN)
    return False
