"""Checkers: whether a program's output is the expected one, each with its own idea of the same."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_REGEX_SECONDS: Final = 2
_LONGEST_FOR_REGEX: Final = 256 << 10
_SHOWN: Final = 60
# In a process of its own: an expression that takes for ever on a student's output ends with it.
_MATCHER: Final = (
    "import json,re,sys;p,t=json.load(sys.stdin);"
    "m=re.compile(p,re.M).search if sys.argv[1]=='search' else re.compile(p).fullmatch;"
    "print(int(m(t) is not None))"
)


@dataclass(frozen=True, kw_only=True)
class Checker:
    """A checker by its name, with what it may be told."""

    name: str = "standard"
    # floats: digits after the point, and whether absolute or relative nearness is enough.
    precision: int = 6
    near: str = "either"
    has_case: bool = True

    def differs(self, got: str, expected: tuple[str, ...]) -> str | None:
        """Return where the output differs, None when it is right; `expected` is usually one text."""
        return _BY_NAME[self.name](self, _lines_ended(got), tuple(map(_lines_ended, expected)))


def _lines_ended(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _folded(checker: Checker, text: str) -> str:
    return text if checker.has_case else text.casefold()


def _exact(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    wanted = expected[0]
    if _folded(checker, got) == _folded(checker, wanted):
        return None
    if got.rstrip("\n") == wanted.rstrip("\n"):
        return "Only the line ends at the end of the output differ."
    return _first_difference(got.split("\n"), wanted.split("\n"))


def _standard(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    mine, wanted = _plain_lines(_folded(checker, got)), _plain_lines(_folded(checker, expected[0]))
    return None if mine == wanted else _first_difference(mine, wanted)


def _plain_lines(text: str) -> list[str]:
    """Return the lines without spaces at their ends, and without empty lines at the end."""
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _sorted(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    mine = sorted(line for line in _plain_lines(_folded(checker, got)) if line)
    wanted = sorted(line for line in _plain_lines(_folded(checker, expected[0])) if line)
    return None if mine == wanted else _first_difference(mine, wanted, "once sorted, ")


def _floats(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    mine = [line.split() for line in _plain_lines(got) if line]
    wanted = [line.split() for line in _plain_lines(expected[0]) if line]
    for number, (one, other) in enumerate(zip_longest(mine, wanted), start=1):
        if one is None or other is None or len(one) != len(other):
            return f"Line {number}: {_few(one)} instead of {_few(other)}."
        for word, key in zip(one, other, strict=True):
            if not _is_near(checker, word, key):
                return f"Line {number}: {_quoted(word)} is not near enough to {_quoted(key)}."
    return None


def _few(words: list[str] | None) -> str:
    return "no line" if words is None else f"{len(words)} {'value' if len(words) == 1 else 'values'}"


def _is_near(checker: Checker, word: str, key: str) -> bool:
    if not _NUMBER.fullmatch(key):
        # What is not written as a number is a word; nan and inf are near to nothing.
        return _folded(checker, word) == _folded(checker, key) and not _is_odd(key)
    if not _NUMBER.fullmatch(word):
        return False
    mine, wanted = float(word), float(key)
    if not (math.isfinite(mine) and math.isfinite(wanted)):
        return False
    distance, most = abs(mine - wanted), 10.0**-checker.precision
    # A grain of the numbers' own coarseness: 0.1 is not exactly 0.1.
    grain = 4 * math.ulp(max(abs(mine), abs(wanted)))
    absolute, relative = distance <= most + grain, distance <= most * abs(wanted) + grain
    return {"absolute": absolute, "relative": relative}.get(checker.near, absolute or relative)


def _is_odd(word: str) -> bool:
    return word.casefold().lstrip("+-") in {"nan", "inf", "infinity"}


def _included(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    text, place = _folded(checker, got), 0
    for wanted in expected:
        needle = _folded(checker, wanted).strip("\n")
        found = text.find(needle, place)
        if found < 0:
            return f"{_quoted(wanted)} does not stand in it{' after what comes before' if place else ''}."
        place = found + len(needle)
    return None


def _regex(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    return _match(checker, got.strip("\n"), expected[0], "fullmatch")


def _regex_search(checker: Checker, got: str, expected: tuple[str, ...]) -> str | None:
    return _match(checker, got, expected[0], "search")


def _match(checker: Checker, got: str, pattern: str, how: str) -> str | None:
    if len(got) > _LONGEST_FOR_REGEX:
        return "It is too long to be compared with a regular expression."
    written = pattern if checker.has_case else f"(?i:{pattern})"
    try:
        done = subprocess.run(  # noqa: S603 - our own program, without a shell
            [sys.executable, "-I", "-S", "-c", _MATCHER, how],
            input=json.dumps([written, got]).encode(),
            capture_output=True,
            timeout=_REGEX_SECONDS,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        return "Comparing it with the regular expression took too long."
    return None if done.stdout.strip() == b"1" else "It does not match."


def regex_problem(pattern: str) -> str | None:
    """Return why a text is no regular expression, None when it is one."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def _first_difference(mine: list[str], wanted: list[str], how: str = "") -> str:
    for number, (one, other) in enumerate(zip_longest(mine, wanted), start=1):
        if one != other:
            said = f"{how}line {number}{_difference(one, other)}"
            return said[0].upper() + said[1:]
    return "It differs."


def _difference(one: str | None, other: str | None) -> str:
    if one is None:
        return f" is missing: {_quoted(other or '')}."
    return (
        f": {_quoted(one)} is too much."
        if other is None
        else f": {_quoted(one)} instead of {_quoted(other)}."
    )


def _quoted(text: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return repr(shown)


_BY_NAME: Final[dict[str, Callable[[Checker, str, tuple[str, ...]], str | None]]] = {
    "standard": _standard,
    "exact": _exact,
    "floats": _floats,
    "sorted": _sorted,
    "regex": _regex,
    "regex-search": _regex_search,
    "included": _included,
}
NAMES: Final = tuple(_BY_NAME)
