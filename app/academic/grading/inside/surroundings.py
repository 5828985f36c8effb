"""What the student's code meets in place of a terminal and of other processes."""

from __future__ import annotations

import builtins
import os
import posix
import sys

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Ask = Callable[[dict[str, Any]], Any]

_INPUT = builtins.input
NO_CHILDREN = "starting other processes is not allowed here: a submission runs as a single process"


def prepare_streams(ask: Ask) -> None:
    """Let input come from the test, through `ask`, and output leave line by line."""
    for stream in (sys.stdout, sys.stderr):
        # Line buffered: what is printed just before os._exit would be lost otherwise.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]

    def ask_for_line(prompt: object = "", /) -> str:
        return str(ask({"input": str(prompt)}))

    ask_for_line.__name__ = "input"
    builtins.input = ask_for_line
    sys.stdin = _Input(ask)


def restore_input() -> None:
    """Let `input` read standard input itself, as tests beside the program expect."""
    builtins.input = _INPUT
    sys.stdin = sys.__stdin__


def refuse_children() -> None:
    """Refuse to start other processes with a sentence, before the kernel does so with a signal."""

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, NO_CHILDREN)

    for name in ("fork", "forkpty", "system", "posix_spawn", "posix_spawnp", "execv", "execve"):
        for module in (os, posix):
            if hasattr(module, name):
                setattr(module, name, refuse)


class Reflected:
    """What the tests changed in their own surroundings, changed here too."""

    def __init__(self, unpack: Callable[[Any], Any]) -> None:
        self._unpack = unpack
        self._originals: dict[tuple[str, str], Any] = {}

    def take(self, what: str, *details: Any) -> None:
        """Make one change."""
        getattr(self, f"_{what}")(*details)

    def _patch(self, module: str, name: str, value: Any) -> None:
        target = __import__(module, fromlist=["_"])
        self._originals.setdefault((module, name), getattr(target, name, None))
        setattr(target, name, self._unpack(value))

    def _restore(self, module: str, name: str) -> None:
        if (module, name) in self._originals:
            setattr(sys.modules[module], name, self._originals[module, name])

    def _remove(self, module: str, name: str) -> None:
        target = __import__(module, fromlist=["_"])
        self._originals.setdefault((module, name), getattr(target, name, None))
        delattr(target, name)

    def _variables(self, changed: dict[str, str | None]) -> None:
        for name, value in changed.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _folder(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - runs alone, and pathlib costs 4 ms
        os.chdir(path)

    def _random(self, state: Any) -> None:
        import random

        random.setstate(self._unpack(state))


class _Input:
    """Standard input: what the test gives, or the end of the file."""

    encoding, errors, closed, name = "utf-8", "strict", False, "<stdin>"

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def readline(self, size: int = -1) -> str:
        return str(self._ask({"stdin": "readline", "size": size}))

    def read(self, size: int = -1) -> str:
        return str(self._ask({"stdin": "read", "size": size}))

    def readlines(self, _hint: int = -1) -> list[str]:
        return list(self)

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        """Leave it open, as there is nothing to free."""

    def __iter__(self) -> _Input:
        return self

    def __next__(self) -> str:
        if line := self.readline():
            return line
        raise StopIteration
