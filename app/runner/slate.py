"""What a reused process is doing right now, in memory that its parent sees even after its death."""

from __future__ import annotations

import mmap
import struct
import time
from typing import Final, NamedTuple

_NOW: Final = struct.Struct("=qqdq")
_SENT: Final = struct.Struct("=q")


class Now(NamedTuple):
    """The job under way (0: none), its attempt, when it began (monotonic), its place in the batch."""

    job_id: int
    attempt: int
    began: float
    place: int


class Slate:
    """One shared page: written by the process that runs jobs, read by the one that watches it."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    def wipe(self) -> None:
        """Nothing is under way and nothing has been reported: a batch is about to be given."""
        _NOW.pack_into(self._page, 0, 0, 0, 0.0, -1)
        self.note_sent(0)

    def begin(self, job_id: int, attempt: int, index: int) -> None:
        """Note which job begins."""
        _NOW.pack_into(self._page, 0, job_id, attempt, time.monotonic(), index)

    def rest(self, index: int) -> None:
        """Note that nothing is under way after this place in the batch."""
        _NOW.pack_into(self._page, 0, 0, 0, 0.0, index)

    def note_sent(self, count: int) -> None:
        """Note how many jobs of the batch have been reported."""
        _SENT.pack_into(self._page, _NOW.size, count)

    def now(self) -> Now:
        """Read what is under way; while it changes, nothing."""
        first = _NOW.unpack_from(self._page, 0)
        second = _NOW.unpack_from(self._page, 0)
        return Now(*first) if first == second else Now(0, 0, 0.0, -1)

    def sent(self) -> int:
        """Read how many jobs of the batch have been reported."""
        return int(_SENT.unpack_from(self._page, _NOW.size)[0])

    def close(self) -> None:
        """Give the page back."""
        self._page.close()
