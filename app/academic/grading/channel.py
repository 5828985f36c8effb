"""One box from outside: what is asked of it, the clock and caps it runs against, and its end.

Verdicts come from the wait status, the clock and the caps alone, never from what the program writes.
"""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Any, NoReturn

from app.academic.grading.box_process import BoxProcess, is_readable
from app.academic.grading.endings import BoxEnded, explain
from app.academic.grading.errors import AutograderError
from app.academic.grading.framing import BadReply, frame, parse_reply
from app.academic.grading.run_folder import remove_tree
from app.academic.grading.starvation import MOST_TIMES
from app.academic.grading.work_folder import holds_more, make_work_folder

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.files import SharedFiles
    from app.academic.grading.limits import Limits
    from app.academic.grading.sandbox import Confinement

_START_SECONDS = 20.0
_DISK_CHECK_SECONDS = 0.05
_CHUNK = 1 << 16
_LEAST_EXTENSION = 0.05


class Box:
    """A fresh confined process that answers requests about the student's modules."""

    def __init__(self, confinement: Confinement, run: Path, limits: Limits, modules: list[str]) -> None:
        self._limits, self._confinement, self._run = limits, confinement, run
        self._pending, self._line = bytearray(), bytearray()
        self._written: list[tuple[int, bytes]] = []
        self.files: SharedFiles | None = None
        self._shown = {1: 0, 2: 0}
        self.ended: BoxEnded | None = None
        self.cpu_seconds = 0.0
        self._waited = self._extended = 0.0
        self.deadline = time.monotonic() + _START_SECONDS
        self._next_disk_check = 0.0
        self._work = make_work_folder(run, confinement.user)
        self._process = BoxProcess(confinement.command(run), confinement.user)
        self._configure(modules)

    @property
    def is_alive(self) -> bool:
        """Tell whether it can still be asked."""
        return self.ended is None

    def begin(self) -> None:
        """Start the clock of one test and forget what was printed before."""
        self._waited, self._extended = self._process.waited_seconds(), 0.0
        self.deadline = time.monotonic() + self._limits.wall
        self._shown = {1: 0, 2: 0}

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return its reply, which is a JSON object and belongs to no other request."""
        if self.ended is not None:
            raise self.ended
        if self._line or is_readable(self._process.replies):
            self.end("protocol_error", "The program wrote replies that nobody asked for.")
        self._pending += frame(message if self.files is None else self.files.outgoing(message))
        while b"\n" not in self._line:
            self._wait()
        line, _, rest = bytes(self._line).partition(b"\n")
        self._line = bytearray(rest)
        self._drain()
        try:
            reply = parse_reply(line)
            return reply if self.files is None else self.files.incoming(reply, line)
        except (BadReply, TypeError, ValueError) as error:
            said = str(error) if isinstance(error, BadReply) else "The program's reply is not a reply."
            self.end("bad_reply", said)

    def take_output(self) -> list[tuple[int, str]]:
        """Return what was printed since the last call: 1 for stdout or 2 for stderr, and the text."""
        found: list[tuple[int, bytes]] = []
        for which, part in self._written:
            if found and found[-1][0] == which:
                found[-1] = which, found[-1][1] + part
            else:
                found.append((which, part))
        self._written.clear()
        return [(which, part.decode("utf-8", "backslashreplace")) for which, part in found]

    @property
    def shared_folder(self) -> str:
        """Where the box finds the folder that it shares with the tests."""
        return self._confinement.shared_folder(self._work)

    def close(self) -> None:
        """End the process and remove its folder."""
        if self.ended is None:
            self.ended = BoxEnded("runtime_error", "The program was already closed.")
            self._process.close_input()
            self._reap(0.05)
        remove_tree(self._work)

    def end(self, verdict: str, message: str) -> NoReturn:
        """Kill the process and say why."""
        self.ended = BoxEnded(verdict, message)
        self._process.kill()
        self._process.close_input()
        self._reap(0)
        raise self.ended

    # starting

    def _configure(self, modules: list[str]) -> None:
        told = self._confinement.configuration(self._run, self._work, self._limits, modules)
        ends = {"replies": self._process.replies_end, "status": self._process.status_end}
        self._pending += frame({**told, **ends})
        said = bytearray()
        while not said.endswith(b"\n"):
            self._wait(said)
        self._process.close_status()
        if said != b"ready\n":
            self._fail(said.decode("utf-8", "replace").strip())
        self.begin()

    def _fail(self, reason: str) -> NoReturn:
        self._process.kill()
        self._drain()
        self.ended = BoxEnded("runtime_error", reason)
        self._process.close_input()
        self._reap(0)
        remove_tree(self._work)
        said = "".join(text for _, text in self.take_output())
        raise AutograderError(f"the sandbox cannot be set up: {reason or said[-500:]}")

    # waiting

    def _wait(self, status: bytearray | None = None) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            if status is not None:
                self._fail("it did not start in time")
            if self._extend():
                return
            self.end("time_limit", f"The program took longer than {self._limits.wall:g} seconds.")
        poll = select.poll()
        if self._pending:
            poll.register(self._process.input, select.POLLOUT)
        for descriptor in (
            self._process.replies,
            *self._process.streams.values(),
            *(() if status is None else (self._process.status,)),
        ):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(min(left, self._watch_disk()) * 1000):
            self._serve(descriptor, status)

    def _extend(self) -> bool:
        """Give back the time that the program, or the tests, stood in line for a processor."""
        waited = self._process.waited_seconds() - self._waited
        more = min(waited, MOST_TIMES * self._limits.wall) - self._extended
        if more < _LEAST_EXTENSION:
            return False
        self._extended += more
        self.deadline += more
        return True

    def _serve(self, descriptor: int, status: bytearray | None) -> None:
        if descriptor == self._process.input:
            self._send()
        elif descriptor == self._process.replies:
            if status is None:
                self._receive()
        elif descriptor == self._process.status and status is not None:
            part = os.read(descriptor, 4096)
            status += part
            if not part:
                self._fail(status.decode("utf-8", "replace"))
        else:
            self._read_stream(1 if descriptor == self._process.streams[1] else 2)

    def _send(self) -> None:
        try:
            del self._pending[: os.write(self._process.input, self._pending[:_CHUNK])]
        except BrokenPipeError:
            self._pending.clear()  # the end shows on the reply pipe, with its reason

    def _receive(self) -> None:
        part = os.read(self._process.replies, _CHUNK)
        if not part:
            self._died()
        self._line += part
        if len(self._line) > self._limits.reply_bytes + 1024:
            self.end("bad_reply", f"The program gave back more than {self._limits.reply_kb} KiB.")

    def _read_stream(self, which: int) -> bool:
        try:
            part = os.read(self._process.streams[which], _CHUNK)
        except BlockingIOError:
            return False
        if not part:
            self._process.streams[which] = -1
            return False
        room = self._limits.output_bytes - self._shown[which]
        self._shown[which] += len(part)
        self._written.append((which, part[: max(room, 0)]))
        if room < len(part) and self.ended is None:
            self.end("output_limit", f"The program printed more than {self._limits.output_kb} KiB.")
        return True

    def _drain(self) -> None:
        for which in (1, 2):
            while self._process.streams[which] >= 0 and self._read_stream(which):
                pass

    def _watch_disk(self) -> float:
        if self._confinement.tier != "landlock":
            return _START_SECONDS
        now = time.monotonic()
        if now >= self._next_disk_check:
            self._next_disk_check = now + _DISK_CHECK_SECONDS
            if holds_more(self._work, self._limits.files, self._limits.disk_bytes):
                self.end(
                    "disk_limit",
                    f"The program wrote more than {self._limits.disk_mb} MiB or {self._limits.files} files.",
                )
        return _DISK_CHECK_SECONDS

    # ending

    def _died(self) -> NoReturn:
        status = self._reap(1.0)
        self._drain()
        self._process.close_input()
        self.ended = explain(status, self.cpu_seconds, self._limits)
        raise self.ended

    def _reap(self, patience: float) -> int:
        status = self._process.reap(patience)
        self.cpu_seconds = self._process.cpu_seconds
        self._drain()
        self._process.close_outputs()
        return status
