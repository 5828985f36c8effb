"""A small hostile program for the sandbox's self-test. It runs inside, as a student's program would.

Each function tries one thing and returns "denied", or says what it could do.
"""

from __future__ import annotations

import os
import signal
import socket


def add(a: int, b: int) -> int:
    """Do honest work."""
    return a + b


def read(path: str) -> str:
    """Read a file outside."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - runs alone, and pathlib costs 4 ms
            return "read " + file.read(20)
    except OSError:
        return "denied"


def write(path: str) -> str:
    """Leave a file outside."""
    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - runs alone, and pathlib costs 4 ms
            file.write("breach")
    except OSError:
        return "denied"
    return "wrote " + path


def touch(path: str) -> str:
    """Change the times of a file outside."""
    try:
        os.utime(path, (1, 1))
    except OSError:
        return "denied"
    return "changed the times of " + path


def connect() -> str:
    """Open a socket to the network."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError:
        return "denied"
    return "opened a socket"


def signal_parent(process: int) -> str:
    """Signal the process that watches."""
    try:
        os.kill(process, 0)
    except OSError:
        return "denied"
    return "may signal its parent"


def fork() -> str:
    """Start a process by the system call itself."""
    import ctypes

    process = ctypes.CDLL(None).fork()
    if process == 0:
        os._exit(0)
    return "denied" if process < 0 else "started a process"


def end_at_once() -> None:
    """Die by a signal, to be seen dying."""
    os.kill(os.getpid(), signal.SIGKILL)
