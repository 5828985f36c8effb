"""Files between the tests and the student's code: a test writes, passes the path, and reads what came of it.

The trusted side keeps a folder; the box has one of its own at another place. Paths that cross are
translated, and with them goes what they lead to. What comes back is written here only where the test let the
program write, and never as something that Python would run.
"""

from __future__ import annotations

import binascii
import contextlib
import marshal
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEVER = frozenset({".py", ".pyc", ".pyo", ".pyd", ".so", ".pth", ".pyw", ".zip", ".egg"})
_MOST_FILES, _MOST_BYTES = 512, 16 << 20
_DEEPEST = 20


class SharedFiles:
    """The folder of one box's tests, as both sides know it."""

    def __init__(self, outside: Path, inside: str, given: Path) -> None:
        self._outside, self._inside, self._given = str(outside), inside, str(given)
        self._passed: set[str] = {"cwd"}
        self._agreed: dict[str, bytes | None] = {"cwd": None}
        self._made: list[str] = []
        self._marks = [self._outside.encode(), self._given.encode()]

    def outgoing(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the message with the box's paths, and with the files that it leads to."""
        data = marshal.dumps(message)
        if any(mark in data for mark in self._marks):
            message = self._translated(message)
        entries = [*self._changed()]
        return {**message, "files": entries} if entries else message

    def incoming(self, reply: dict[str, Any], line: bytes) -> dict[str, Any]:
        """Return the reply with the tests' paths, after writing what the program wrote."""
        for name, content in reply.pop("files", None) or ():
            self._write(str(name), content)
        if self._inside.encode() in line:
            found: dict[str, Any] = _replaced(reply, self._inside, self._outside)
            return found
        return reply

    def forget(self) -> None:
        """Remove what the program left in the folder that all tests start in: the next one begins anew."""
        for name in reversed(self._made):
            if name.startswith("cwd/"):
                with contextlib.suppress(OSError), _opened(self._outside, name.split("/")[:-1]) as folder:
                    _remove(name.rpartition("/")[2], folder)

    def _translated(self, message: Any) -> Any:
        for text in _texts(message):
            if text == self._outside or text.startswith(self._outside + "/"):
                self._passed.add(os.path.normpath(text)[len(self._outside) + 1 :])
        given = self._given + "/"
        for text in {text for text in _texts(message) if text.startswith(given)}:
            name = "given/" + text[len(given) :]
            if Path(text).suffix not in _NEVER and Path(text).is_file() and ".." not in Path(text).parts:
                self._passed.add(name)
        message = _replaced(message, self._outside, self._inside)
        return _replaced(message, given, f"{self._inside}/given/")

    def _changed(self) -> Iterator[list[Any]]:
        found = self._found()
        for name, content in found.items():
            if name not in self._agreed or self._agreed[name] != content:
                told = None if content is None else binascii.b2a_base64(content, newline=False).decode()
                yield [name, told]
        for name in self._agreed.keys() - found.keys():
            yield [name, False]
        self._agreed = found

    def _found(self) -> dict[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        left = _MOST_BYTES
        for name in sorted(self._passed):
            base = self._given if name.startswith("given/") else self._outside
            path = Path(base, name.removeprefix("given/") if base == self._given else name)
            for above in Path(name).parents[:-1]:
                found[str(above)] = None
            for one in (path, *(path.rglob("*") if path.is_dir() else ())):
                inner = name + str(one)[len(str(path)) :]
                if one.is_symlink() or len(found) >= _MOST_FILES:
                    continue
                if one.is_dir():
                    found[inner] = None
                elif one.is_file() and (size := one.stat().st_size) <= left:
                    found[inner], left = one.read_bytes(), left - size
        return found

    def _write(self, name: str, content: Any) -> None:
        parts = name.split("/")
        is_plain = all(part not in {"", ".", ".."} and "\0" not in part for part in parts)
        if not is_plain or len(parts) > _DEEPEST or parts[0] == "given" or self._is_code(parts):
            return
        if type(content) is int:
            if self._may_change(name) and parts[0] != "cwd":
                raise OSError(f"the program wrote {parts[-1]} with {content} bytes: too large for the test")
            return
        data = binascii.a2b_base64(content) if isinstance(content, str) else None
        with contextlib.suppress(OSError), _opened(self._outside, parts[:-1]) as folder:
            if content is False:
                if self._may_change(name):
                    os.unlink(parts[-1], dir_fd=folder)
                    self._agreed.pop(name, None)
                return
            if data is None:
                os.mkdir(parts[-1], 0o700, dir_fd=folder)
            else:
                self._write_file(name, data, folder)
            self._agreed[name] = data
            if name not in self._passed:
                self._made.append(name)
            self._passed.add(name)

    def _write_file(self, name: str, data: bytes, folder: int) -> None:
        new = 0 if self._may_change(name) else os.O_EXCL
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | new
        with os.fdopen(os.open(name.rpartition("/")[2], flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)

    def _may_change(self, name: str) -> bool:
        parts = name.split("/")
        return any("/".join(parts[:count]) in self._passed for count in range(1, len(parts) + 1))

    def _is_code(self, parts: list[str]) -> bool:
        return Path(parts[-1]).suffix.lower() in _NEVER


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        os.rmdir(name, dir_fd=folder)


@contextlib.contextmanager
def _opened(root: str, parts: list[str]) -> Iterator[int]:
    """Open a folder below root without following a link, making what is missing."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=folder)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(item, old, new) for item in value]
    return value
