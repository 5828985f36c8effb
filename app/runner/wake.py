"""Waking launchers that sleep: a datagram to each socket in the wake directory, and on PostgreSQL a NOTIFY.

The datagram reaches the launchers of this machine, the NOTIFY those of all others. What is lost costs
the wait for the next poll, never a job; so errors here are ignored, and a lost connection is made anew.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

CHANNEL: Final = "background_jobs"
SUFFIX: Final = ".wake"

# A folder may change again within one tick of the file system's clock, and look as it did.
_SETTLED_NANOSECONDS: Final = 100_000_000
# Longer addresses are refused; this is the least that any system allows.
_LONGEST_ADDRESS: Final = 100
# What each folder looked like when its names were read.
_seen: dict[Path, tuple[tuple[int, int, int], tuple[str, ...]]] = {}


def listen(directory: Path, launcher_id: str) -> socket.socket | None:
    """Open the socket of one launcher; None where that is not possible, and polling must do."""
    receiver = _socket()
    if receiver is None:
        return None
    try:
        with _short_path(directory) as short:
            receiver.bind(f"{short}/{launcher_id}{SUFFIX}")
    except OSError:
        receiver.close()
        return None
    return receiver


def close(directory: Path, launcher_id: str, receiver: socket.socket | None) -> None:
    """Close the socket and take its name away."""
    if receiver is not None:
        receiver.close()
    with contextlib.suppress(OSError):
        (directory / f"{launcher_id}{SUFFIX}").unlink()


def send(directory: Path) -> None:
    """Wake every launcher of this machine."""
    names = _names(directory)
    if not names or (sender := _socket()) is None:
        return
    with sender, contextlib.suppress(OSError), _reachable(directory, names) as short:
        for name in names:
            _send_to(sender, f"{short}/{name}", directory / name)


def _names(directory: Path) -> tuple[str, ...]:
    """Name the sockets of the launchers, without reading a folder in which nothing has changed."""
    try:
        stat = os.stat(directory)  # noqa: PTH116 - hot
        state = (stat.st_dev, stat.st_ino, stat.st_mtime_ns)
        seen = _seen.get(directory)
        if seen is not None and seen[0] == state:
            return seen[1]
        names = tuple(name for name in os.listdir(directory) if name.endswith(SUFFIX))  # noqa: PTH208 - hot
    except OSError:
        return ()
    if time.time_ns() - stat.st_mtime_ns > _SETTLED_NANOSECONDS:
        _seen[directory] = (state, names)
    return names


def drain(receiver: socket.socket) -> None:
    """Take everything that has come in."""
    with contextlib.suppress(OSError):
        while receiver.recv(16):
            pass


def notify(session: Session) -> None:
    """Wake the launchers of all machines when, and only if, this transaction commits; PostgreSQL only."""
    # At a savepoint there is nothing to tell yet.
    if session.get_bind().dialect.name == "postgresql" and not session.in_nested_transaction():
        session.connection().exec_driver_sql(f"NOTIFY {CHANNEL}")


class Listener:
    """A connection of its own on which PostgreSQL wakes this launcher; on other databases it does nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        # Kept, for a connection that is lost does not know it any more.
        self._descriptor = -1
        # Other drivers and databases cannot tell when something has come in.
        self._is_possible = engine.dialect.driver == "psycopg"

    def attach(self, selector: selectors.BaseSelector) -> None:
        """Listen, from now on or still, and have the selector wake up for it."""
        if self._connection is not None or not self._is_possible:
            return
        try:
            self._connection = _listening(self._engine)
        except (DBAPIError, self._errors(), OSError):
            return
        self._descriptor = self._connection.fileno()
        selector.register(self._descriptor, selectors.EVENT_READ, self)

    def drain(self, selector: selectors.BaseSelector) -> None:
        """Take everything that has come in; a connection that was cut is given up."""
        try:
            for _ in self._connection.notifies(timeout=0):
                pass
        except (self._errors(), OSError):
            selector.unregister(self._descriptor)
            self.close()

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _errors(self) -> type[Exception]:
        errors: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return errors


def _listening(engine: Engine) -> Any:
    """Connect as the pool does, but keep the connection out of it."""
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    pooled.detach()
    connection.autocommit = True
    connection.execute(f"LISTEN {CHANNEL}")
    return connection


def _send_to(sender: socket.socket, address: str, name: Path) -> None:
    try:
        sender.sendto(b"w", address)
    except ConnectionRefusedError:
        # Nobody listens any more: a launcher was killed and left its name behind.
        name.unlink(missing_ok=True)
    except OSError:
        return


def _socket() -> socket.socket | None:
    if not hasattr(socket, "AF_UNIX"):
        return None
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.setblocking(False)
    return opened


@contextlib.contextmanager
def _reachable(directory: Path, names: tuple[str, ...]) -> Iterator[str]:
    """Name the directory so that the address of each socket in it is short enough."""
    plain = os.fsencode(directory)
    if len(plain) + max(map(len, names)) < _LONGEST_ADDRESS:
        yield str(directory)
        return
    with _short_path(directory) as short:
        yield short


@contextlib.contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """Name the directory by a descriptor: a socket's address may have some 100 bytes only."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        short = f"/proc/self/fd/{descriptor}"
        yield short if Path(short).is_dir() else str(directory)
    finally:
        os.close(descriptor)
