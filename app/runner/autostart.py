"""A launcher that starts by itself: enqueueing without one starts one in the background, and goes on.

A lock file holds the number of such launchers at one: who starts one gives it the locked file, and the
lock ends with the launcher, however it ends.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.runner import processes, wake
from app.runner.models import LauncherRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.runner.binding import Binding

LOCK: Final = "launcher.lock"
LOG: Final = "launcher.log"
# The environment variable that tells the launcher which descriptor is its lock.
_LOCK_FD: Final = "BACKGROUND_JOBS_LOCK_FD"
IDLE_SECONDS: Final = 60
# A launcher that cannot start is not started again with every job.
PAUSE_SECONDS: Final = 5.0
# So long is it believed that a launcher on another machine, seen in the database, is there.
_BELIEVED_SECONDS: Final = 2.0
# Whose heartbeat is older is not there.
_SILENT_SECONDS: Final = 15.0
# What a web server under development tells its own children.
_NOT_FOR_LAUNCHERS: Final = ("FLASK_RUN_FROM_CLI", "WERKZEUG_RUN_MAIN", "WERKZEUG_SERVER_FD")

_seen_at = float("-inf")
# Kept until it is over: whoever starts a process has to hear of its end.
_started: list[subprocess.Popen[bytes]] = []


def ensure_launcher(bound: Binding) -> None:
    """Start a launcher unless one is there; never from within a job, and never two."""
    settings = bound.settings
    if not settings.autostart or processes.MARK in os.environ or _is_served_here(settings.wake_dir):
        return
    _started[:] = [each for each in _started if each.poll() is None]
    # The job is committed: what goes wrong from here on is no failure of its enqueuer.
    with contextlib.suppress(OSError, SQLAlchemyError), _locked(settings.wake_dir / LOCK) as lock:
        if lock is not None and not _is_too_soon(lock) and not _is_served_elsewhere(bound):
            os.utime(lock)
            _start(bound, lock)


def release() -> None:
    """Give up the lock, if this process is a launcher that was started so: another may be started now."""
    descriptor = os.environ.pop(_LOCK_FD, "")
    if descriptor.isdecimal():
        with contextlib.suppress(OSError):
            os.close(int(descriptor))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Give the lock, or None when a launcher that was started so has it."""
    import fcntl

    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock
    finally:
        # The launcher that was started has the same open file, and with it the lock.
        os.close(lock)


def _is_too_soon(lock: int) -> bool:
    stat = os.fstat(lock)
    # A file that is new has been made by us, just now.
    return stat.st_size > 0 and abs(time.time() - stat.st_mtime) < PAUSE_SECONDS


def _is_served_here(directory: Path) -> bool:
    """Whether a launcher of this machine listens; the names of dead ones were taken away by the wake-up."""
    try:
        return any(name.endswith(wake.SUFFIX) for name in os.listdir(directory))  # noqa: PTH208 - hot
    except OSError:
        return False


def _is_served_elsewhere(bound: Binding) -> bool:
    global _seen_at  # noqa: PLW0603 - one memory for the process
    if time.monotonic() - _seen_at < _BELIEVED_SECONDS:
        return True
    oldest = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=_SILENT_SECONDS)
    with bound.read() as session:
        rows = session.scalars(select(LauncherRow).where(LauncherRow.heartbeat_at >= oldest)).all()
    if not any(_may_live(row) for row in rows):
        return False
    _seen_at = time.monotonic()
    return True


def _may_live(row: LauncherRow) -> bool:
    if row.host != processes.host() or row.boot_id != processes.boot_id():
        return True
    return processes.is_alive(row.pid, row.process_started)


def _start(bound: Binding, lock: int) -> None:
    os.write(lock, b"." if os.fstat(lock).st_size == 0 else b"")
    named = ["--app", bound.application] if bound.application else []
    command = [sys.executable, "-m", "flask", *named, "jobs", "work", "--idle-exit", str(IDLE_SECONDS)]
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_LAUNCHERS}
    path = os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    with (bound.settings.log_dir / LOG).open("ab") as log:
        launcher = subprocess.Popen(  # noqa: S603 - our own command, as a list, without a shell
            command,
            env=environment | {"PYTHONPATH": path, _LOCK_FD: str(lock)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            # Of its own session: it outlives the web process, and the terminal.
            start_new_session=True,
        )
    _started.append(launcher)
