"""Finite sets as they are written in mathematics: {1, 2, 3}, {(a, b), (b, c)}, {{}, {1}}, and bare lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from app.academic.grading.answers.numbers import NotANumber, normalise, read_number

LONGEST: Final = 4000
_DEEPEST: Final = 20
_EMPTY: Final = frozenset({"\u2205", "\u00d8", "\\emptyset", "empty set"})
_PIECE = re.compile(r"[{}(),;]|[^{}(),;]+")
_CLOSING: Final = {"{": "}", "(": ")"}


class NotASet(ValueError):
    """The text is no set; the message says why, as the end of a sentence."""


@dataclass
class _Open:
    """A bracket that is not closed yet, and its elements so far."""

    bracket: str
    elements: list[object] = field(default_factory=list)
    # Whether an element is expected: after the bracket and after a comma.
    is_waiting: bool = True


def read_set(text: str) -> frozenset[object]:
    """Return the set; elements are numbers by value, words without their case, tuples and sets."""
    plain = normalise(text)
    if len(plain) > LONGEST:
        raise NotASet(f"it has more than {LONGEST} characters")
    if not plain:
        raise NotASet("it is empty; write {} for the empty set")
    if plain.casefold() in _EMPTY:
        return frozenset()
    is_bare = not (plain.startswith("{") and _closes_at_end(plain))
    return _read(f"{{{plain}}}" if is_bare else plain, is_bare=is_bare)


def _closes_at_end(text: str) -> bool:
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return place == len(text) - 1
    return True


def _read(text: str, *, is_bare: bool) -> frozenset[object]:
    waiting = [_Open("")]
    for piece in _PIECE.findall(text):
        if piece.strip():
            _take(waiting, piece.strip())
    if len(waiting) != 1:
        raise NotASet("a bracket is not closed")
    (found,) = waiting[0].elements
    if not isinstance(found, frozenset):
        raise NotASet("it is not one set")
    # A tuple alone is no set: order and repetition count in it.
    if is_bare and len(found) == 1 and isinstance(next(iter(found)), tuple):
        raise NotASet("round brackets make a tuple; a set has braces")
    return found


def _take(waiting: list[_Open], piece: str) -> None:
    top = waiting[-1]
    if piece in _CLOSING:
        _expect(top.is_waiting, "a comma is missing between two elements")
        _expect(len(waiting) <= _DEEPEST, f"brackets are nested more than {_DEEPEST} deep")
        waiting.append(_Open(piece))
    elif piece in (",", ";"):
        _expect(bool(top.bracket) and not top.is_waiting, "an element is missing beside a comma")
        top.is_waiting = True
    elif piece in _CLOSING.values():
        _close(waiting, piece)
    else:
        _expect(top.is_waiting, "a comma is missing between two elements")
        top.elements.append(_element(piece))
        top.is_waiting = False


def _close(waiting: list[_Open], piece: str) -> None:
    top = waiting.pop()
    _expect(_CLOSING.get(top.bracket) == piece, "the brackets do not fit together")
    _expect(not (top.is_waiting and top.elements), "an element is missing beside a comma")
    waiting[-1].elements.append(frozenset(top.elements) if piece == "}" else tuple(top.elements))
    waiting[-1].is_waiting = False


def _element(word: str) -> object:
    if word.casefold() in _EMPTY:
        return frozenset()
    try:
        return read_number(word)
    except NotANumber:
        return word.casefold().strip("'\"")


def _expect(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_so:
        raise NotASet(otherwise)
