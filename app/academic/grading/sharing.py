"""Lists, dicts, sets and bytearrays that both sides hold: a change on one side shows on the other.

The tests pass a list, the program keeps it; or the program hands out a list of its own. Each side numbers
what it gave first, the trusted side with even numbers, the box with odd ones.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

KINDS = (list, dict, set, bytearray)
_MOST_KEPT = 12
_MOST_ITEMS = 400


class Shared:
    """The containers of one box that crossed, with what each was when both sides last agreed."""

    def __init__(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any], first: int) -> None:
        self._pack, self._unpack, self._next = pack, unpack, first
        # What the tests changed in a large container is not looked for: it would cost too much.
        self._limit = _MOST_ITEMS if first == 0 else sys.maxsize
        self._objects: dict[int, Any] = {}
        self._agreed: dict[int, Any] = {}

    def number_of(self, value: object) -> int | None:
        """Return the number of a container that is shared or can be, None for other values."""
        if type(value) not in KINDS:
            return None
        for number, known in self._objects.items():
            if known is value:
                return number
        self._next += 2
        self.add(self._next - 2, value)
        return self._next - 2

    def add(self, number: int, value: Any) -> None:
        """Keep a container that the other side knows by this number."""
        self._objects[number] = value
        self._agreed[number] = self._packed(value)

    def get(self, number: int) -> Any:
        """Return the container of a number, None when it is not kept any more."""
        return self._objects.get(number)

    def changes(self) -> list[list[Any]]:
        """Return what changed on this side since both agreed, and agree."""
        found = []
        for number, value in list(self._objects.items()):
            packed = self._packed(value)
            if packed is not None and packed != self._agreed[number]:
                self._agreed[number] = packed
                found.append([number, packed])
        return found

    def take(self, changes: Any) -> None:
        """Make the same changes here; what does not fit is not a change and raises ValueError."""
        for number, data in changes:
            old, new = self._objects.get(number), self._unpack(data)
            if old is None:
                continue
            if type(old) is not type(new):
                raise ValueError(number)
            update(old, new)
            self._agreed[number] = self._packed(old)

    def trim(self) -> None:
        """Let go of what is too much to look at with every request: the large, and the oldest."""
        for number, value in list(self._objects.items()):
            if len(value) > _MOST_ITEMS or len(self._objects) > _MOST_KEPT:
                del self._objects[number], self._agreed[number]

    def _packed(self, value: Any) -> Any:
        if len(value) > self._limit:
            return None
        try:
            return self._pack(value)
        except (TypeError, ValueError, RecursionError):
            return None


def update(old: Any, new: Any) -> None:
    """Make old equal to new in place, down to the inner containers, so that other names for them see it."""
    if isinstance(old, list):
        inner = [_merged(before, after) for before, after in zip(old, new, strict=False)]
        old[:] = [*inner, *new[len(inner) :]]
    elif isinstance(old, dict):
        merged = {key: _merged(old[key], item) if key in old else item for key, item in new.items()}
        old.clear()
        old.update(merged)
    elif isinstance(old, set):
        old.intersection_update(new)
        old.update(new)
    else:
        old[:] = new


def _merged(before: Any, after: Any) -> Any:
    if type(before) is type(after) and type(before) in KINDS:
        update(before, after)
        return before
    return after
