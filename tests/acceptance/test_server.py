"""script/server as a person meets it: started, looked at, stopped."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOP = Path(__file__).parents[2]
START_SECONDS = 90
STOP_SECONDS = 30
MARK = "SITE_MARK"
READY = "Ctrl-C stops everything."


class Site:
    """The site, started as script/server starts it, on data of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.mark = uuid.uuid4().hex
        environment = {
            **os.environ,
            "PORT": str(self.port),
            "FLASK_INSTANCE_PATH": str(folder / "instance"),
            "FLASK_LOG_DIR": str(folder / "logs"),
            MARK: self.mark,
        }
        (folder / "instance").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "script.serve"],
            cwd=TOP,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)

    def wait_for(self, words: str) -> None:
        """Wait until the site has said so."""
        until = time.monotonic() + START_SECONDS
        while words not in "".join(self.said):
            assert time.monotonic() < until, "".join(self.said)
            assert self.process.poll() is None, "".join(self.said)
            try:
                self.said.append(self._lines.get(timeout=0.2))
            except queue.Empty:
                continue

    def processes(self) -> list[int]:
        """Find every process that has come of the site, wherever it is now."""
        wanted = f"{MARK}={self.mark}".encode()
        return [
            int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if wanted in content(path)
        ]

    def stop(self, number: int) -> int:
        """Tell the site to stop; give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Have nothing left of it, come what may."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()


def content(path: Path) -> bytes:
    """Read what may be gone, or not ours, by now."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Give what starts the site, again and again on the same data; all is over after the test."""
    with ExitStack() as stack:

        def make() -> Site:
            site = Site(tmp_path)
            stack.callback(site.end)
            return site

        yield make


@pytest.mark.slow
def test_the_site_comes_up_and_goes_without_a_trace(start: Callable[[], Site]) -> None:
    """The welcome comes when the site answers; one signal ends web server, launcher and jobs."""
    # Given a site that was started for the first time
    site = start()
    site.wait_for(READY)
    welcome = "".join(site.said)
    assert f"http://127.0.0.1:{site.port}" in welcome
    assert "admin@example.com         password  " in welcome
    with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/sign-in", timeout=10) as answer:
        assert 200 == answer.status
    assert len(site.processes()) >= 4

    # When Ctrl-C is pressed
    code = site.stop(signal.SIGINT)

    # Then nothing of it is left, and the next start makes no other data
    assert (130, []) == (code, site.processes())
    again = start()
    again.wait_for(READY)
    assert "with the password shown at the first start" in "".join(again.said)
    assert (143, []) == (again.stop(signal.SIGTERM), again.processes())


def test_a_closed_terminal_ends_the_site(start: Callable[[], Site], tmp_path: Path) -> None:
    """Who closes the window has stopped the site."""
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "demo-data-made").touch()
    site = start()
    site.wait_for(READY)
    assert (143, []) == (site.stop(signal.SIGHUP), site.processes())


def test_a_site_that_is_stopped_while_it_starts_leaves_nothing(start: Callable[[], Site]) -> None:
    """Ctrl-C at once is Ctrl-C all the same."""
    site = start()
    site.stop(signal.SIGTERM)
    assert [] == site.processes()
