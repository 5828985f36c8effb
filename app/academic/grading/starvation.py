"""How long a program stood in line for a processor: on a crowded machine that is not its fault."""

from __future__ import annotations

from pathlib import Path

_NANO = 1e9
_DEEPEST = 6
# A limit of the clock grows by at most so many times itself.
MOST_TIMES = 3


def waited_seconds(process: int, depth: int = 0) -> float:
    """Return the seconds that a process and its descendants were ready to run, and were not run."""
    found = 0.0
    try:
        threads = list(Path(f"/proc/{process}/task").iterdir())
    except OSError:
        return found
    for thread in threads:
        found += _number(thread / "schedstat") / _NANO
        if depth < _DEEPEST:
            found += sum(waited_seconds(child, depth + 1) for child in _children(thread))
    return found


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _children(thread: Path) -> list[int]:
    try:
        return [int(word) for word in (thread / "children").read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []
