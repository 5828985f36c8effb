"""From shared fingerprints to a score of 0 to 100, where 50 is worth a person's look.

A fingerprint of a program weighs ln^2(N/n): N authors in the assignment, n of them have it. What
more than a fifth of a class has (and more than three) weighs nothing: it is the task, not the
author. In prose many copy the same good source, so there all phrases weigh the same until half
of the class has them.
In a class of two to four nothing is common and rarity says little: all fingerprints count, and
the scale asks for nearly the whole. So identical, renamed and reformatted copies are found
there, and partial ones are not; the result's note says so.

Every share is taken of what weighs anything plus a little more (`DOUBT_*`): all of ten rare
fingerprints is less than all of two hundred. Programs with fewer than 40 structural fingerprints
that weigh anything are judged by wording only, with fewer than 20 of those not at all. Equal
whole programs (from 80 syntax nodes, else 200 structural fingerprints or 250 characters on) score
at least 95 however many have them: a ring does not hide in its size.

The scales below were set on labelled sets so that copies with new names, another order or
another layout lie above 50 and at most one innocent author in twenty does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.academic.similarity.prints import STRUCTURE, SYNTAX, WORDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.academic.similarity.prints import Kind

SMALL_CLASS: Final = 5  # below, rarity says nothing: weights are nearly flat and the scale is strict
PSEUDO_CLASS: Final = 8  # a class counts as at least this large, so that what two share weighs something
COMMON_SHARE: Final = 0.2
COMMON_SHARE_PROSE: Final = 0.5
COMMON_AUTHORS: Final = 3
SHORTEST_STRUCTURE: Final = 40  # of fingerprints that weigh anything, on average over the sets
SHORTEST_WORDING: Final = 20
SHORTEST_PROSE: Final = 30
SAME_GROUP_SCORE: Final = 95
DOUBT_STRUCTURE: Final = 5  # as if each had so many more that nobody else has
DOUBT_WORDING: Final = 40

Scale = tuple[tuple[float, float], ...]

# Measured value to score, straight lines between; the value at 50 is the finding.
_STRUCTURE_SCALE: Final[Scale] = ((0.0, 0), (0.23, 10), (0.46, 35), (0.57, 50), (0.8, 80), (1.0, 100))
_WORDING_SCALE: Final[Scale] = ((0.0, 0), (0.12, 15), (0.33, 50), (0.6, 80), (1.0, 100))
_PROSE_SCALE: Final[Scale] = ((0.0, 0), (0.04, 20), (0.08, 50), (0.3, 80), (0.6, 95), (1.0, 100))
_SMALL_STRUCTURE_SCALE: Final[Scale] = ((0.0, 0), (0.5, 10), (0.8, 50), (0.9, 80), (1.0, 100))
_SMALL_WORDING_SCALE: Final[Scale] = ((0.0, 0), (0.5, 15), (0.8, 50), (1.0, 100))
_SMALL_PROSE_SCALE: Final[Scale] = ((0.0, 0), (0.06, 20), (0.12, 50), (0.5, 85), (1.0, 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two submissions' weights in one feature, and the weight of what they share."""

    shared: float = 0.0
    total_a: float = 0.0
    total_b: float = 0.0
    count_a: float = 0.0
    """Fingerprints that weigh anything, before winnowing."""
    count_b: float = 0.0

    unit: float = 1.0
    """What a fingerprint weighs that nobody else has."""

    def containment(self, doubt: float = 0) -> float:
        """Share of the smaller one that is found in the larger one."""
        smaller = min(self.total_a, self.total_b) + doubt * self.unit
        return min(1.0, self.shared / smaller) if smaller else 0.0

    def dice(self, doubt: float = 0) -> float:
        """Twice the shared weight, of the weight of both."""
        both = self.total_a + self.total_b + 2 * doubt * self.unit
        return min(1.0, 2 * self.shared / both) if both else 0.0

    @property
    def size(self) -> float:
        """Fingerprints of the smaller one that weigh anything."""
        return min(self.count_a, self.count_b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A pair's score and its parts; a part that cannot be judged is None."""

    value: int
    structure: int | None
    wording: int | None
    is_same_group: bool


class Rarity:
    """Weights of fingerprints in an assignment with so many authors."""

    def __init__(self, author_count: int, kind: Kind = "code") -> None:
        self.author_count = author_count
        self.is_flat = kind == "prose"
        self.is_small = author_count < SMALL_CLASS
        share = COMMON_SHARE_PROSE if kind == "prose" else COMMON_SHARE
        common = max(COMMON_AUTHORS, int(share * author_count))
        self.common = author_count if self.is_small else common

    def weight(self, authors: float) -> float:
        """What a fingerprint that so many authors have is worth."""
        if not 0 < authors <= self.common:
            return 0.0
        return 1.0 if self.is_flat else math.log(max(self.author_count, PSEUDO_CLASS) / authors) ** 2


def score_of(
    kind: str,
    overlaps: Mapping[int, Overlap],
    *,
    is_small: bool,
    is_same_group: bool,
    is_same_text: bool = False,
) -> Score:
    """Score of two submissions of one kind; the same text is as alike as two can be."""
    judge = score_prose if kind == "prose" else score_code
    found = judge(overlaps, is_small=is_small, is_same_group=is_same_group)
    return replace(found, value=100) if is_same_text else found


def score_code(overlaps: Mapping[int, Overlap], *, is_small: bool, is_same_group: bool) -> Score:
    """Score of two programs: structure and wording are two witnesses (noisy or)."""
    structure = _structure(overlaps, _SMALL_STRUCTURE_SCALE if is_small else _STRUCTURE_SCALE)
    wording = _wording(overlaps[WORDING], _SMALL_WORDING_SCALE if is_small else _WORDING_SCALE)
    value = _noisy_or(structure or 0.0, wording or 0.0)
    if is_same_group:
        value = max(value, SAME_GROUP_SCORE)
    return Score(
        value=round(value),
        structure=None if structure is None else round(structure),
        wording=None if wording is None else round(wording),
        is_same_group=is_same_group,
    )


def score_prose(overlaps: Mapping[int, Overlap], *, is_small: bool, is_same_group: bool) -> Score:
    """Score of two texts: how much of the shorter one's phrases the longer one has."""
    overlap = overlaps[WORDING]
    wording = None
    if overlap.size >= SHORTEST_PROSE:
        wording = round(on_scale(_SMALL_PROSE_SCALE if is_small else _PROSE_SCALE, overlap.containment()))
    value = max(wording or 0, SAME_GROUP_SCORE if is_same_group else 0)
    return Score(value=value, structure=None, wording=wording, is_same_group=is_same_group)


def on_scale(scale: Sequence[tuple[float, float]], value: float) -> float:
    """Read a score off a scale."""
    right = min(bisect_right(scale, (value, math.inf)), len(scale) - 1)
    (low, low_score), (high, high_score) = scale[right - 1], scale[right]
    return low_score + (high_score - low_score) * min(1.0, (value - low) / (high - low))


def _structure(overlaps: Mapping[int, Overlap], scale: Scale) -> float | None:
    """The mean of what can be judged: tokens, and for Python syntax."""
    judged = [
        overlaps[feature] for feature in (STRUCTURE, SYNTAX) if feature in overlaps and overlaps[feature].size
    ]
    if not judged or sum(part.size for part in judged) / len(judged) < SHORTEST_STRUCTURE:
        return None
    shares = [(part.dice(DOUBT_STRUCTURE) + part.containment(DOUBT_STRUCTURE)) / 2 for part in judged]
    return on_scale(scale, sum(shares) / len(shares))


def _wording(overlap: Overlap, scale: Scale) -> float | None:
    if overlap.size < SHORTEST_WORDING:
        return None
    return on_scale(scale, overlap.containment(DOUBT_WORDING))


def _noisy_or(first: float, second: float) -> float:
    return 100 - (100 - first) * (100 - second) / 100
