"""The folder whose files the tests and the student's code share: what one side writes, the other finds."""

from __future__ import annotations

import binascii
import os

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from typing import Any

_MOST_FILES = 200
_MOST_BYTES = 96 << 10


class SharedFolder:
    """A folder inside the sandbox; the tests' own is kept equal to it, request by request."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: dict[str, bytes | int | None] = {"cwd": None}
        os.makedirs(root + "/cwd")  # noqa: PTH103 - runs alone, and pathlib costs 4 ms
        os.chdir(root + "/cwd")
        os.environ["HOME"] = root + "/cwd"

    def put(self, entries: list[Any]) -> None:
        """Take over what the tests wrote: text is content, None a folder, False a file that is gone."""
        for name, content in entries:
            path = f"{self._root}/{name}"
            if content is False:
                self._known.pop(name, None)
                if os.path.isfile(path):  # noqa: PTH113 - as above
                    os.unlink(path)  # noqa: PTH108 - as above
                continue
            folder = path if content is None else path.rpartition("/")[0]
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
            self._known[name] = None
            if content is not None:
                self._known[name] = binascii.a2b_base64(content)
                with open(path, "wb") as file:  # noqa: PTH123 - as above
                    file.write(binascii.a2b_base64(content))

    def changes(self) -> list[list[Any]]:
        """Return what the student's code wrote and removed since the last time."""
        changed: list[list[Any]] = []
        found = self._read()
        for name, content in found.items():
            if name not in self._known or self._known[name] != content:
                changed.append([name, _told(content)])
        changed += [[name, False] for name in self._known if name not in found]
        self._known = found
        return changed

    def _read(self) -> dict[str, bytes | int | None]:
        found: dict[str, bytes | int | None] = {}
        waiting, left = [""], _MOST_BYTES
        while waiting and len(found) < _MOST_FILES:
            folder = waiting.pop()
            for entry in os.scandir(f"{self._root}/{folder}"):
                name = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    found[name] = None
                    waiting.append(name + "/")
                elif entry.is_file(follow_symlinks=False):
                    found[name] = content = self._content(entry, left)
                    left -= 0 if isinstance(content, int) else len(content)
        return found

    def _content(self, entry: os.DirEntry[str], most: int) -> bytes | int:
        """Return what a file holds, or its size when that is too much."""
        size = entry.stat(follow_symlinks=False).st_size
        if size > most:
            return size
        with open(entry.path, "rb") as file:  # noqa: PTH123 - as above
            return file.read(most)


def _told(content: bytes | int | None) -> str | int | None:
    if isinstance(content, bytes):
        return binascii.b2a_base64(content, newline=False).decode()
    return content
