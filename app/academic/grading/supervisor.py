"""Running the trusted process of one part, and gathering what it tells until it ends or its time is over."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.academic.grading.starvation import MOST_TIMES, waited_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROOT = str(Path(__file__).resolve().parents[3])
_LOG_LIMIT = 64 << 10
_START_ALLOWANCE = 20.0
_LEAST_EXTENSION = 0.05
_MODULE = "app.academic.grading.session"


class Run:
    """What the trusted process told."""

    def __init__(self) -> None:
        self.collected: list[dict[str, Any]] = []
        self.tests: dict[str, dict[str, Any]] = {}
        self.uncollected: list[dict[str, Any]] = []
        self.end: dict[str, Any] | None = None
        self.log = bytearray()
        self.is_out_of_time = False

    def take(self, event: Mapping[str, Any]) -> None:
        """Keep one event."""
        if "collected" in event:
            self.collected = list(event["collected"])
        elif "uncollected" in event:
            self.uncollected.append(dict(event))
        elif "test" in event:
            self.tests[event["test"]] = dict(event)
        elif "end" in event:
            self.end = dict(event)


def run_tests(config: Mapping[str, Any], total: float, tell: Callable[[Run], None]) -> Run:
    """Run the tests of one part in a process of their own, for at most `total` seconds of tests."""
    events, events_end = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program, without a shell
            [sys.executable, "-m", _MODULE, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=config["run"],
            pass_fds=(events_end,),
            start_new_session=True,
        )
    finally:
        os.close(events_end)
    try:
        return _Watch(process, events, total, tell).follow({**config, "events": events_end, "root": _ROOT})
    finally:
        os.close(events)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _environment() -> dict[str, str]:
    # Nothing of the site's: no secret key, no database address, no password of a mail server.
    kept = {
        name: os.environ[name] for name in ("PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH") if name in os.environ
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([_ROOT, *library_paths()]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONSAFEPATH": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def library_paths() -> list[str]:
    """Return where this process found pytest, for sites that are not installed in a virtual environment."""
    found = (find_spec(name) for name in ("pytest", "gradescope_utils"))
    paths = [str(Path(spec.origin).parent) for spec in found if spec is not None and spec.origin]
    return list(
        dict.fromkeys(path if Path(path, "pytest").exists() else str(Path(path).parent) for path in paths)
    )


class _Watch:
    """Reads events and log side by side, with the clock in view."""

    def __init__(
        self, process: subprocess.Popen[bytes], events: int, total: float, tell: Callable[[Run], None]
    ) -> None:
        self._process, self._events, self._total, self._tell = process, events, total, tell
        self._deadline = time.monotonic() + _START_ALLOWANCE + total
        self._extended = 0.0
        self._buffer = bytearray()
        self._run = Run()

    def follow(self, config: Mapping[str, Any]) -> Run:
        assert self._process.stdin  # noqa: S101 - given above, for the type checker
        assert self._process.stdout  # noqa: S101 - given above, for the type checker
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(config).encode())
            self._process.stdin.close()
        log = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(self._events, select.POLLIN)
        poll.register(log, select.POLLIN)
        open_ends = {self._events, log}
        while self._events in open_ends:
            left = self._deadline - time.monotonic()
            if left <= 0:
                if self._extend():
                    continue
                self._run.is_out_of_time = True
                return self._run
            for descriptor, _ in poll.poll(left * 1000):
                if not self._read(descriptor):
                    poll.unregister(descriptor)
                    open_ends.discard(descriptor)
        return self._run

    def _extend(self) -> bool:
        """Give back the time that tests and boxes stood in line for a processor."""
        more = min(waited_seconds(self._process.pid), MOST_TIMES * self._total) - self._extended
        if more < _LEAST_EXTENSION:
            return False
        self._extended += more
        self._deadline += more
        return True

    def _read(self, descriptor: int) -> bool:
        part = os.read(descriptor, 1 << 16)
        if descriptor != self._events:
            self._run.log = (self._run.log + part)[-_LOG_LIMIT:]
            return bool(part)
        self._buffer += part
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._take(json.loads(line))
        return bool(part)

    def _take(self, event: dict[str, Any]) -> None:
        self._run.take(event)
        if "collected" in event:
            # The tests' time begins with the tests, not with the start of processes.
            self._deadline = time.monotonic() + self._total
        if "test" in event or "collected" in event:
            self._tell(self._run)
