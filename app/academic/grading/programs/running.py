"""One run of a program from outside: its input, its two streams, the clock and the caps, and its end.

The verdict comes from the wait status, the clock and the caps alone.
"""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from app.academic.grading.box_process import BoxProcess
from app.academic.grading.endings import BoxEnded, explain
from app.academic.grading.errors import AutograderError
from app.academic.grading.framing import frame
from app.academic.grading.run_folder import remove_tree
from app.academic.grading.sandbox import inside_parts
from app.academic.grading.work_folder import holds_more, make_work_folder

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.limits import Limits
    from app.academic.grading.sandbox import Confinement

_START_SECONDS = 20.0
_DISK_CHECK_SECONDS = 0.05
_END_SECONDS = 1.0
_CHUNK = 1 << 16
# As bubblewrap tells that a signal ended the program in it.
_SIGNALLED = range(129, 193)
_PARTS = ("inside.surroundings", "inside.program")


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start: a script of the submission, its arguments, and files it finds beside it."""

    script: str
    arguments: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as the launcher is told."""
        return {"script": self.script, "arguments": list(self.arguments), "files": list(self.files)}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended; a verdict other than `accepted` says against which limit, or by which signal."""

    verdict: str
    message: str
    output: bytes
    errors: bytes
    # None when the program did not end by itself.
    status: int | None
    cpu_seconds: float
    seconds: float


def run_program(confinement: Confinement, run: Path, limits: Limits, program: Program, given: bytes) -> Ended:
    """Run a program once in a box of its own, with `given` on its standard input."""
    work = make_work_folder(run, confinement.user)
    try:
        return _Watch(confinement, run, work, limits).follow(program, given)
    finally:
        remove_tree(work)


class _Watch:
    """The parent's side while the program runs."""

    def __init__(self, confinement: Confinement, run: Path, work: Path, limits: Limits) -> None:
        self._confinement, self._limits, self._run, self._work = confinement, limits, run, work
        self._kept = {1: bytearray(), 2: bytearray()}
        self._said = bytearray()
        self._is_open = True
        self._next_disk_check = 0.0
        self._process = BoxProcess(confinement.command(run), confinement.user)
        self._pending = bytearray()
        self._begun = 0.0

    def follow(self, program: Program, given: bytes) -> Ended:
        told = self._confinement.configuration(self._run, self._work, self._limits, [])
        told |= {"harness": inside_parts(_PARTS), "modules": program.to_dict()}
        ends = {"replies": self._process.replies_end, "status": self._process.status_end}
        self._pending += frame({**told, **ends})
        self._start()
        self._pending += given
        self._begun = time.monotonic()
        try:
            self._watch()
        except BoxEnded as end:
            self._process.kill()
            return self._ended(self._reap(0), end)
        status = self._reap(_END_SECONDS)
        return self._ended(status, self._own_end(status))

    def _own_end(self, status: int) -> BoxEnded:
        if any(len(kept) > self._limits.output_bytes for kept in self._kept.values()):
            return BoxEnded("output_limit", f"The program printed more than {self._limits.output_kb} KiB.")
        code = os.waitstatus_to_exitcode(status)
        out_of_time = self._process.cpu_seconds >= self._limits.cpu
        if out_of_time or code < 0 or code in _SIGNALLED:
            return explain(status, self._process.cpu_seconds, self._limits)
        return BoxEnded("accepted", "")

    def _ended(self, status: int, end: BoxEnded) -> Ended:
        code = os.waitstatus_to_exitcode(status)
        return Ended(
            verdict=end.verdict,
            message=end.message,
            output=bytes(self._kept[1][: self._limits.output_bytes]),
            errors=bytes(self._kept[2][: self._limits.output_bytes]),
            status=code if end.verdict == "accepted" else None,
            cpu_seconds=self._process.cpu_seconds,
            seconds=time.monotonic() - self._begun,
        )

    # starting

    def _start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not self._serve(left, is_starting=True):
                self._fail(self._said.decode("utf-8", "replace").strip() or "it did not start in time")
        self._process.close_status()
        if self._said != b"ready\n":
            self._fail(self._said.decode("utf-8", "replace").strip())

    def _fail(self, reason: str) -> NoReturn:
        self._process.kill()
        self._reap(0)
        shown = bytes(self._kept[2]).decode("utf-8", "replace")[-500:]
        raise AutograderError(f"the sandbox cannot be set up: {reason} {shown}".strip())

    # running

    def _watch(self) -> None:
        deadline = time.monotonic() + self._limits.wall
        while True:
            if not self._pending:
                self._close_input()
            left = deadline - time.monotonic()
            if left <= 0:
                raise BoxEnded("time_limit", f"The program took longer than {self._limits.wall:g} seconds.")
            if not self._serve(min(left, self._watch_disk()), is_starting=False):
                return

    def _serve(self, seconds: float, *, is_starting: bool) -> bool:
        """Move what can be moved; False when the program is at its end."""
        poll = select.poll()
        if self._pending and self._is_open:
            poll.register(self._process.input, select.POLLOUT)
        first = self._process.status if is_starting else self._process.replies
        for descriptor in (first, *self._process.streams.values()):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        goes_on = True
        for descriptor, _ in poll.poll(seconds * 1000):
            if self._is_open and descriptor == self._process.input:
                self._send()
            elif descriptor == first:
                goes_on = self._hear(descriptor, is_starting=is_starting)
            else:
                self._read(1 if descriptor == self._process.streams[1] else 2)
        return goes_on

    def _hear(self, descriptor: int, *, is_starting: bool) -> bool:
        part = os.read(descriptor, _CHUNK)
        if is_starting:
            self._said += part
        return bool(part)

    def _send(self) -> None:
        try:
            del self._pending[: os.write(self._process.input, self._pending[:_CHUNK])]
        except BrokenPipeError:
            self._pending.clear()  # it does not read its input, which it may

    def _close_input(self) -> None:
        if self._is_open:
            self._is_open = False
            self._process.close_input()

    def _read(self, which: int) -> bool:
        try:
            part = os.read(self._process.streams[which], _CHUNK)
        except BlockingIOError:
            return False
        if not part:
            self._process.streams[which] = -1
            return False
        kept = self._kept[which]
        kept += part
        if len(kept) > self._limits.output_bytes:
            del kept[self._limits.output_bytes + 1 :]
            raise BoxEnded("output_limit", f"The program printed more than {self._limits.output_kb} KiB.")
        return True

    def _watch_disk(self) -> float:
        if self._confinement.tier != "landlock":
            return _START_SECONDS
        now = time.monotonic()
        if now >= self._next_disk_check:
            self._next_disk_check = now + _DISK_CHECK_SECONDS
            if holds_more(self._work, self._limits.files, self._limits.disk_bytes):
                most = f"{self._limits.disk_mb} MiB or {self._limits.files} files"
                raise BoxEnded("disk_limit", f"The program wrote more than {most}.")
        return _DISK_CHECK_SECONDS

    # ending

    def _reap(self, patience: float) -> int:
        status = self._process.reap(patience)
        self._close_input()
        for which in (1, 2):
            self._drain(which)
        self._process.close_outputs()
        return status

    def _drain(self, which: int) -> None:
        try:
            while self._process.streams[which] >= 0 and self._read(which):
                pass
        except BoxEnded:
            return
