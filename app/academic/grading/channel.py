"""One box from outside: its process, its pipes, its clock, and the verdict when it ends.

Verdicts come from the wait status, the clock and the caps alone, never from what the program writes.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, NoReturn

from app.academic.grading.errors import AutograderError
from app.academic.grading.run_folder import remove_tree

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.limits import Limits
    from app.academic.grading.sandbox import Confinement

_START_SECONDS = 20.0
_DISK_CHECK_SECONDS = 0.05
_CHUNK = 1 << 16


class BoxEnded(BaseException):
    """The student's program ended, or was ended, before it gave what was asked."""

    def __init__(self, verdict: str, message: str) -> None:
        self.verdict, self.message = verdict, message
        super().__init__(message)


class Box:
    """A fresh confined process that answers requests about the student's modules."""

    def __init__(self, confinement: Confinement, run: Path, limits: Limits, modules: list[str]) -> None:
        self._limits, self._confinement, self._run = limits, confinement, run
        self._written, self._pending, self._line = bytearray(), bytearray(), bytearray()
        self._shown = {1: 0, 2: 0}
        self.ended: BoxEnded | None = None
        self.cpu_seconds = 0.0
        self.deadline = time.monotonic() + _START_SECONDS
        self._next_disk_check = 0.0
        self._work = run / f"work-{os.urandom(6).hex()}"
        self._number = 0
        self._make_work_folder()
        self._start(modules)

    @property
    def is_alive(self) -> bool:
        """Tell whether it can still be asked."""
        return self.ended is None

    def begin(self) -> None:
        """Start the clock of one test and forget what was printed before."""
        self.deadline = time.monotonic() + self._limits.wall
        self._shown = {1: 0, 2: 0}

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return its reply, which is a JSON object and belongs to no other request."""
        if self.ended is not None:
            raise self.ended
        if self._line or self._is_readable():
            self.end("protocol_error", "The program wrote replies that nobody asked for.")
        data = marshal.dumps(message)
        self._pending += len(data).to_bytes(4, "big") + data
        while b"\n" not in self._line:
            self._wait()
        line, _, rest = bytes(self._line).partition(b"\n")
        self._line = bytearray(rest)
        self._drain()
        return self._parse(line)

    def take_output(self) -> str:
        """Return what was printed since the last call, stdout and stderr as they came."""
        text = self._written.decode("utf-8", "backslashreplace")
        self._written.clear()
        return text

    def close(self) -> None:
        """End the process and remove its folder."""
        if self.ended is None:
            self.ended = BoxEnded("runtime_error", "The program was already closed.")
            os.close(self._input)
            self._reap(0.05)
        remove_tree(self._work)

    def end(self, verdict: str, message: str) -> NoReturn:
        """Kill the process and say why."""
        self.ended = BoxEnded(verdict, message)
        self._kill()
        os.close(self._input)
        self._reap(0)
        raise self.ended

    # starting

    def _make_work_folder(self) -> None:
        self._work.mkdir(mode=0o700)
        if self._confinement.user is not None:
            os.chown(self._work, self._confinement.user, self._confinement.user)

    def _start(self, modules: list[str]) -> None:
        replies, replies_end = os.pipe()
        status, status_end = os.pipe()
        user = self._confinement.user
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, without a shell
                self._confinement.command(self._run),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(replies_end, status_end),
                start_new_session=True,
                bufsize=0,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        except OSError as error:
            raise AutograderError(f"the sandbox cannot be started: {error}") from error
        finally:
            os.close(replies_end)
            os.close(status_end)
        assert self._process.stdin and self._process.stdout and self._process.stderr  # noqa: PT018, S101 - given above
        self._input = os.dup(self._process.stdin.fileno())
        self._process.stdin.close()
        self._replies, self._status = replies, status
        self._streams = {1: self._process.stdout.fileno(), 2: self._process.stderr.fileno()}
        for descriptor in (self._input, replies, status, *self._streams.values()):
            os.set_blocking(descriptor, False)
        self._configure(modules, replies_end, status_end)

    def _configure(self, modules: list[str], replies: int, status: int) -> None:
        told = self._confinement.configuration(self._run, self._work, self._limits, modules)
        data = marshal.dumps({**told, "replies": replies, "status": status})
        self._pending += len(data).to_bytes(4, "big") + data
        said = bytearray()
        while not said.endswith(b"\n"):
            self._wait(said)
        os.close(self._status)
        self._status = -1
        if said != b"ready\n":
            self._fail(said.decode("utf-8", "replace").strip())
        self.begin()

    def _fail(self, reason: str) -> NoReturn:
        self._kill()
        self._drain()
        self.ended = BoxEnded("runtime_error", reason)
        os.close(self._input)
        self._reap(0)
        remove_tree(self._work)
        raise AutograderError(f"the sandbox cannot be set up: {reason or self.take_output()[-500:]}")

    # waiting

    def _wait(self, status: bytearray | None = None) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            if status is not None:
                self._fail("it did not start in time")
            self.end("time_limit", f"The program took longer than {self._limits.wall:g} seconds.")
        poll = select.poll()
        if self._pending:
            poll.register(self._input, select.POLLOUT)
        for descriptor in (
            self._replies,
            *self._streams.values(),
            *(() if status is None else (self._status,)),
        ):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(min(left, self._watch_disk()) * 1000):
            self._serve(descriptor, status)

    def _serve(self, descriptor: int, status: bytearray | None) -> None:
        if descriptor == self._input:
            self._send()
        elif descriptor == self._replies:
            if status is None:
                self._receive()
        elif descriptor == self._status and status is not None:
            part = os.read(descriptor, 4096)
            status += part
            if not part:
                self._fail(status.decode("utf-8", "replace"))
        else:
            self._read_stream(1 if descriptor == self._streams[1] else 2)

    def _send(self) -> None:
        try:
            del self._pending[: os.write(self._input, self._pending[:_CHUNK])]
        except BrokenPipeError:
            self._pending.clear()  # the end shows on the reply pipe, with its reason

    def _receive(self) -> None:
        part = os.read(self._replies, _CHUNK)
        if not part:
            self._died()
        self._line += part
        if len(self._line) > self._limits.reply_bytes + 1024:
            self.end("bad_reply", f"The program gave back more than {self._limits.reply_kb} KiB.")

    def _read_stream(self, which: int) -> bool:
        try:
            part = os.read(self._streams[which], _CHUNK)
        except BlockingIOError:
            return False
        if not part:
            self._streams[which] = -1
            return False
        room = self._limits.output_bytes - self._shown[which]
        self._shown[which] += len(part)
        self._written += part[: max(room, 0)]
        if room < len(part) and self.ended is None:
            self.end("output_limit", f"The program printed more than {self._limits.output_kb} KiB.")
        return True

    def _drain(self) -> None:
        for which in (1, 2):
            while self._streams[which] >= 0 and self._read_stream(which):
                pass

    def _is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self._replies, select.POLLIN)
        for _, events in poll.poll(0):
            return bool(events & select.POLLIN)
        return False

    def _watch_disk(self) -> float:
        if self._confinement.tier != "landlock":
            return _START_SECONDS
        now = time.monotonic()
        if now >= self._next_disk_check:
            self._next_disk_check = now + _DISK_CHECK_SECONDS
            if _holds_more(str(self._work), self._limits.files, self._limits.disk_bytes):
                self.end(
                    "disk_limit",
                    f"The program wrote more than {self._limits.disk_mb} MiB or {self._limits.files} files.",
                )
        return _DISK_CHECK_SECONDS

    # replies

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            reply = json.loads(
                line.decode("ascii"),
                parse_constant=_refuse,
                parse_float=_finite,
                object_pairs_hook=_without_twins,
            )
        except (ValueError, RecursionError) as error:
            self.end("bad_reply", f"The program's reply cannot be read ({type(error).__name__}).")
        if not isinstance(reply, dict):
            self.end("bad_reply", "The program's reply is not a reply.")
        return reply

    # ending

    def _died(self) -> NoReturn:
        status = self._reap(1.0)
        self._drain()
        os.close(self._input)
        self.ended = self._explain(status)
        raise self.ended

    def _explain(self, status: int) -> BoxEnded:
        if self.cpu_seconds >= self._limits.cpu - 0.1:
            return BoxEnded(
                "time_limit", f"The program used more than {self._limits.cpu:g} seconds of processor time."
            )
        code = os.waitstatus_to_exitcode(status)
        number = -code if code < 0 else code - 128
        if number == signal.SIGXCPU:
            return BoxEnded(
                "time_limit", f"The program used more than {self._limits.cpu:g} seconds of processor time."
            )
        if number == signal.SIGSYS:
            return BoxEnded("denied", "The program made a system call that is not allowed and was ended.")
        if number > 0:
            with contextlib.suppress(ValueError):
                return BoxEnded("runtime_error", f"The program crashed ({signal.Signals(number).name}).")
        return BoxEnded(
            "runtime_error", f"The program ended by itself (exit status {code}) before the test was done."
        )

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def _reap(self, patience: float) -> int:
        """Wait for the process, killing it when patience is over, and for all that held its pipes."""
        end = time.monotonic() + patience
        pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        while not pid and time.monotonic() < end:
            time.sleep(0.001)
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        if not pid:
            self._kill()
            pid, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self._await_silence()
        return status

    def _await_silence(self) -> None:
        # Under bubblewrap the inner processes end a moment after the outer one; the reply pipe shows when.
        end = time.monotonic() + 2
        os.set_blocking(self._replies, False)
        poll = select.poll()
        poll.register(self._replies, select.POLLIN)
        while time.monotonic() < end:
            if poll.poll(100) and not _read_some(self._replies):
                break
        self._drain()
        os.close(self._replies)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._streams = {1: -1, 2: -1}


def _read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return b"?"


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _holds_more(folder: str, files: int, size: int) -> bool:
    waiting, count, total = [folder], 0, 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if count > files or total > size:
                        return True
        except OSError:
            continue
    return False
