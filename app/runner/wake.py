"""Waking launchers that sleep: a datagram to each socket in the wake directory.

A lost datagram costs the wait for the next poll, never a job; so every error here is ignored.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX: Final = ".wake"


def listen(directory: Path, launcher_id: str) -> socket.socket | None:
    """Open the socket of one launcher; None where that is not possible, and polling must do."""
    receiver = _socket()
    if receiver is None:
        return None
    try:
        with _short_path(directory) as short:
            receiver.bind(f"{short}/{launcher_id}{_SUFFIX}")
    except OSError:
        receiver.close()
        return None
    return receiver


def close(directory: Path, launcher_id: str, receiver: socket.socket | None) -> None:
    """Close the socket and take its name away."""
    if receiver is not None:
        receiver.close()
    with contextlib.suppress(OSError):
        (directory / f"{launcher_id}{_SUFFIX}").unlink()


def send(directory: Path) -> None:
    """Wake every launcher of this machine."""
    try:
        names = [name for name in os.listdir(directory) if name.endswith(_SUFFIX)]  # noqa: PTH208 - hot
    except OSError:
        return
    if not names or (sender := _socket()) is None:
        return
    with sender, contextlib.suppress(OSError), _short_path(directory) as short:
        for name in names:
            _send_to(sender, f"{short}/{name}", directory / name)


def drain(receiver: socket.socket) -> None:
    """Take everything that has come in."""
    with contextlib.suppress(OSError):
        while receiver.recv(16):
            pass


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
def _short_path(directory: Path) -> Iterator[str]:
    """Name the directory by a descriptor: a socket's address may have some 100 bytes only."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        short = f"/proc/self/fd/{descriptor}"
        yield short if Path(short).is_dir() else str(directory)
    finally:
        os.close(descriptor)
