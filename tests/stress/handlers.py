"""Handlers that stress tests run; each writes into one file what it does, so that it can be checked.

The file is the witness outside of the database: a line per beginning and end of an attempt.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from app.runner import Abort, Retry, current_job

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASS = "tests.stress.handlers.Work"
SLEEPER = "import os, signal, time; os.setsid(); signal.signal(15, signal.SIG_IGN); time.sleep(300)"


class Work:
    """The kinds of jobs; `tag` names the request that asked for it."""

    def noop(self, tag: str) -> str:
        """Do nothing."""
        with _witnessed(tag):
            return tag

    def sleep(self, tag: str, seconds: float) -> str:
        """Take a while."""
        with _witnessed(tag):
            time.sleep(seconds)
            return tag

    def fail(self, tag: str) -> None:
        """Fail for good."""
        with _witnessed(tag):
            raise Abort("there is no point")

    def retried(self, tag: str, times: int) -> int:
        """Ask for another attempt, some times."""
        with _witnessed(tag):
            if current_job.attempt <= times:
                raise Retry("not yet", delay=0.1)
            return current_job.attempt

    def die(self, tag: str) -> None:
        """Be poison: kill the own process."""
        with _witnessed(tag):
            os.kill(os.getpid(), signal.SIGKILL)

    def murder(self, tag: str, seconds: float) -> None:
        """Be poison for all around: kill the warm parent, after a while."""
        with _witnessed(tag):
            time.sleep(seconds)
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(300)

    def stubborn(self, tag: str, seconds: float) -> str:
        """Start a child and a grandchild that sessions and SIGTERM do not reach, then take a while."""
        with _witnessed(tag):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen([sys.executable, "-S", "-c", SLEEPER])
            if os.fork() == 0:
                self._have_a_child()
            _witness(f"ready {tag}")
            time.sleep(seconds)
            return tag

    def bare(self, tag: str, seconds: float) -> str:
        """Start a child without any environment, which no mark in it can give away; say its pid."""
        with _witnessed(tag):
            child = subprocess.Popen([sys.executable, "-S", "-c", SLEEPER], env={})
            _witness(f"bare {child.pid}")
            time.sleep(seconds)
            return tag

    def escape(self, tag: str, seconds: float) -> None:
        """Start what has no parent, no session and no environment in common with anybody; say its pid."""
        with _witnessed(tag):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    _witness(f"escaped {os.getpid()}")
                    os.execve(sys.executable, [sys.executable, "-S", "-c", SLEEPER], {})  # noqa: S606 - no shell
                os._exit(0)
            os.wait()
            time.sleep(seconds)

    def _have_a_child(self) -> None:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(300)
        os._exit(0)


@contextlib.contextmanager
def _witnessed(tag: str) -> Iterator[None]:
    _witness(f"began {tag}")
    yield
    _witness(f"ended {tag}")


def _witness(what: str) -> None:
    line = f"{time.monotonic():.6f} {current_job.id} {current_job.attempt} {os.getpid()} {what}\n"
    descriptor = os.open(os.environ["STRESS_WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
