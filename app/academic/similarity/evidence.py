"""What two submissions share, as numbered blocks to be read side by side.

Blocks are the longest common runs of normalised tokens, longest first, none overlapping
(greedy string tiling, as in Wise: YAP3, 1996). They are computed from the files when a
person asks; nothing of it is stored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from app.academic.similarity.prints import run_hashes
from app.academic.similarity.tokens import Token, code_tokens, decode, word_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.academic.similarity.prints import Kind

IDENTICAL: Final = "identical text"
RENAMED: Final = "same structure, names changed"
REORDERED: Final = "reordered"
GIVEN: Final = "given by the instructor"

_SHORTEST: Final = {"code": 12, "prose": 5}
_SEED: Final = {"code": 8, "prose": 4}
_REPEATS: Final = 16  # places one seed may match; more is a table of numbers, not evidence
MAX_TOKENS: Final = 10_000  # of one submission
MAX_PASSAGES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One shared block: where it stands in both submissions, and why it is shown."""

    number: int
    file_a: str
    first_line_a: int
    last_line_a: int
    file_b: str
    first_line_b: int
    last_line_b: int
    reason: str
    is_identical: bool
    is_reordered: bool
    is_base: bool
    """Given by the instructor: shown grey, says nothing."""
    token_count: int
    hashes: tuple[int, ...]
    """Fingerprints of its runs: they say how many in the class have it."""


class _Place(NamedTuple):
    file: str
    token: Token


class _Tile(NamedTuple):
    start_a: int
    start_b: int
    length: int


def passages(
    files_a: Mapping[str, bytes],
    files_b: Mapping[str, bytes],
    *,
    kind: Kind = "code",
    base: Sequence[bytes] = (),
) -> list[Passage]:
    """Blocks that two submissions share, numbered in the order of the first."""
    side_a, side_b = _places(files_a, kind), _places(files_b, kind)
    given = _given_seeds(base, kind, next(iter(sorted(files_a)), ""))
    tiles = sorted(_tiles(side_a, side_b, kind))[:MAX_PASSAGES]
    in_order = _longest_rising([tile.start_b for tile in tiles])
    return [
        _passage(number, tile, side_a, side_b, given, is_reordered=number - 1 not in in_order, kind=kind)
        for number, tile in enumerate(tiles, start=1)
    ]


def _places(files: Mapping[str, bytes], kind: str) -> list[_Place]:
    found: list[_Place] = []
    for name in sorted(files):
        text = decode(files[name])
        tokens = word_tokens(text) if kind == "prose" else code_tokens(name, text)
        found.extend(_Place(name, token) for token in tokens)
        if tokens:  # no block runs over the end of a file
            found.append(_Place(name, Token(f"\0{name}", "", tokens[-1].line)))
    return found[:MAX_TOKENS]


def _seeds(places: Sequence[_Place], length: int) -> list[tuple[str, ...]]:
    forms = [place.token.form for place in places]
    return [tuple(forms[start : start + length]) for start in range(len(forms) - length + 1)]


def _given_seeds(base: Sequence[bytes], kind: str, name: str) -> frozenset[tuple[str, ...]]:
    suffix = name[name.rindex(".") :] if "." in name else ""
    length = _SEED[kind]
    return frozenset(
        seed for content in base for seed in _seeds(_places({f"base{suffix}": content}, kind), length)
    )


def _tiles(side_a: Sequence[_Place], side_b: Sequence[_Place], kind: str) -> list[_Tile]:
    """Longest runs first; what is left of a run that overlaps an earlier one may still count."""
    used_a, used_b = bytearray(len(side_a)), bytearray(len(side_b))
    chosen = []
    for run in sorted(_runs(side_a, side_b, _SEED[kind]), key=lambda run: (-run.length, run)):
        tile = _free_part(run, used_a, used_b)
        if tile.length >= _SHORTEST[kind]:
            chosen.append(tile)
            used_a[tile.start_a : tile.start_a + tile.length] = b"\1" * tile.length
            used_b[tile.start_b : tile.start_b + tile.length] = b"\1" * tile.length
    return chosen


def _runs(side_a: Sequence[_Place], side_b: Sequence[_Place], seed: int) -> list[_Tile]:
    """Common runs that cannot be made longer on either end."""
    where: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, key in enumerate(_seeds(side_b, seed)):
        if len(where[key]) < _REPEATS:
            where[key].append(index)
    runs = []
    open_runs: dict[int, _Tile] = {}  # by diagonal
    for index, key in enumerate(_seeds(side_a, seed)):
        for other in where.get(key, ()):
            run = open_runs.get(other - index)
            if run is not None and run.start_a + run.length == index + seed - 1:
                open_runs[other - index] = run._replace(length=run.length + 1)
                continue
            if run is not None:
                runs.append(run)
            open_runs[other - index] = _Tile(index, other, seed)
    return [*runs, *open_runs.values()]


def _free_part(run: _Tile, used_a: bytearray, used_b: bytearray) -> _Tile:
    """Longest part of a run that no tile covers yet."""
    best = _Tile(run.start_a, run.start_b, 0)
    start = 0
    for offset in range(run.length + 1):
        is_free = (
            offset < run.length and not used_a[run.start_a + offset] and not used_b[run.start_b + offset]
        )
        if is_free:
            continue
        if offset - start > best.length:
            best = _Tile(run.start_a + start, run.start_b + start, offset - start)
        start = offset + 1
    return best


def _longest_rising(values: Sequence[int]) -> frozenset[int]:
    """Indexes of a longest rising subsequence: the blocks that kept their order."""
    tails: list[int] = []
    tail_indexes: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_left(tails, value)
        before.append(tail_indexes[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        tail_indexes[place : place + 1] = [index]
    chosen = []
    index = tail_indexes[-1] if tail_indexes else -1
    while index >= 0:
        chosen.append(index)
        index = before[index]
    return frozenset(chosen)


def _passage(
    number: int,
    tile: _Tile,
    side_a: Sequence[_Place],
    side_b: Sequence[_Place],
    given: frozenset[tuple[str, ...]],
    *,
    is_reordered: bool,
    kind: str,
) -> Passage:
    part_a = side_a[tile.start_a : tile.start_a + tile.length]
    part_b = side_b[tile.start_b : tile.start_b + tile.length]
    is_identical = [place.token.text for place in part_a] == [place.token.text for place in part_b]
    seeds = _seeds(part_a, _SEED[kind])
    is_base = bool(given) and sum(seed in given for seed in seeds) * 2 > len(seeds)
    return Passage(
        number=number,
        file_a=part_a[0].file,
        first_line_a=part_a[0].token.line,
        last_line_a=part_a[-1].token.line,
        file_b=part_b[0].file,
        first_line_b=part_b[0].token.line,
        last_line_b=part_b[-1].token.line,
        reason=_reason(is_identical=is_identical, is_reordered=is_reordered, is_base=is_base),
        is_identical=is_identical,
        is_reordered=is_reordered,
        is_base=is_base,
        token_count=tile.length,
        hashes=tuple(run_hashes([place.token.form for place in part_a], kind)),
    )


def _reason(*, is_identical: bool, is_reordered: bool, is_base: bool) -> str:
    if is_base:
        return GIVEN
    reason = IDENTICAL if is_identical else RENAMED
    return f"{reason}, {REORDERED}" if is_reordered else reason
