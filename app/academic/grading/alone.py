"""Turns on a crowded machine: many run together, and what only the clock has ended runs once more, alone.

A student's limit counts seconds; on a machine with more work than processors they say little.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from app.academic.grading.run_folder import base_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Run beside others, but not while somebody runs alone or waits for it."""
    with _held("gate", fcntl.LOCK_EX):
        lock = _open("turn")
        _take(lock, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Run when the others have finished; after a minute's wait all the same."""
    with _held("gate", fcntl.LOCK_EX), _held("turn", fcntl.LOCK_EX):
        yield


def is_crowded() -> bool:
    """Tell whether more wants to run than the machine has processors."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


@contextlib.contextmanager
def _held(name: str, how: int) -> Iterator[None]:
    lock = _open(name)
    try:
        _take(lock, how)
        yield
    finally:
        os.close(lock)


def _open(name: str) -> int:
    return os.open(
        base_folder() / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )


def _take(lock: int, how: int) -> bool:
    """Take a lock; False when patience ended first: waiting for ever would help nobody."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
