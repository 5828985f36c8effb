"""How far ahead of free slots a launcher claims and hands over: a little, and only where jobs are short.

Claiming each job by itself, or waiting for each to be reported before the next begins, would cost
more than a short job does. What is claimed ahead is run by nobody else, so it must be little.
"""

from __future__ import annotations

from typing import Final

# How much work is claimed ahead, in seconds: so long may a more urgent job have to wait for it.
AHEAD_SECONDS: Final = 0.1
MOST_AHEAD: Final = 2000
SHORTEST_SECONDS: Final = 0.0001
# What is not known yet is taken for long; each job then counts for a tenth.
UNKNOWN_SECONDS: Final = 1.0
WEIGHT: Final = 0.1


class Pace:
    """The usual time of a job on this launcher, and what follows from it."""

    def __init__(self, slots: int, *, is_reusing: bool = False) -> None:
        self.slots, self.is_reusing = slots, is_reusing
        self._usual_seconds = UNKNOWN_SECONDS

    def took(self, seconds: float) -> None:
        """Note how long one job took."""
        self._usual_seconds += (max(seconds, SHORTEST_SECONDS) - self._usual_seconds) * WEIGHT

    def handed_over(self) -> int:
        """How many jobs the engine may have: one for each slot, and more to go on with if jobs are short."""
        if self._usual_seconds >= AHEAD_SECONDS:
            return self.slots
        return self.slots + (self._ahead() // 2 if self.is_reusing else self.slots)

    def wanted(self, running: int, ready: int) -> int:
        """How many jobs to claim, with so many running and so many claimed already."""
        free = self.slots - running - ready
        ahead = self._ahead()
        return free + ahead if free > 0 or ready < ahead // 2 else 0

    def _ahead(self) -> int:
        return min(MOST_AHEAD, int(self.slots * AHEAD_SECONDS / self._usual_seconds))
