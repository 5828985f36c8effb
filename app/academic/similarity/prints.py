"""Fingerprints of a submission: the slow part, done outside of any transaction.

Two bodies of evidence. *Structure*: runs of 8 normalised tokens, for Python also runs of 5
syntax nodes; it survives renaming and reformatting. *Wording*: runs of 12 characters without
white space, for prose runs of 3 words; it holds comments, literals and odd names.
Long files are winnowed (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): of every window
of fingerprints the smallest is kept. Windows are powers of four, so that what a longer file
keeps is among what a shorter one would have kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from app.academic.similarity.syntax import node_sequence
from app.academic.similarity.tokens import character_tokens, code_tokens, decode, word_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Kind = Literal["code", "prose"]

STRUCTURE: Final = 1
SYNTAX: Final = 2
WORDING: Final = 3
FEATURES: Final = {STRUCTURE: "structure", SYNTAX: "syntax", WORDING: "wording"}

_LENGTHS: Final = {STRUCTURE: 8, SYNTAX: 5, WORDING: 12}
_PROSE_WORDS: Final = 3
_UNWINNOWED: Final = {STRUCTURE: 2_000, SYNTAX: 2_000, WORDING: 1_500}
MAX_FILES: Final = 50
MAX_CHARACTERS: Final = 400_000  # of one submission; what is beyond is not compared
SHORTEST_STRUCTURE: Final = 60  # fewer fingerprints than this say nothing about structure
SHORTEST_WHOLE: Final = 200  # in short programs two people's structure may well be the same
SHORTEST_TEXT: Final = 250
_LINE_BITS: Final = 20


class Features(NamedTuple):
    """Fingerprints of one feature: hash to position, and how many there were before winnowing."""

    positions: dict[int, int]
    total: int

    @property
    def scale(self) -> float:
        """How many fingerprints one kept fingerprint stands for."""
        return self.total / len(self.positions) if self.positions else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """All that is kept of a submission's content for comparing it."""

    kind: Kind
    features: Mapping[int, Features] = field(default_factory=dict)
    whole_hash: int | None = None
    """Of the normalised program; None if so short that two people may well write the same."""
    text_hash: int | None = None
    """Of the text without white space; None if very short."""

    @property
    def digest(self) -> str:
        """Tells whether two sets of fingerprints are the same."""
        hashes = sorted(value for feature in self.features.values() for value in feature.positions)
        body = f"{self.kind}:{self.whole_hash}:{self.text_hash}:{hashes}".encode()
        return blake2b(body, digest_size=16).hexdigest()

    @property
    def is_empty(self) -> bool:
        """Nothing was left to compare."""
        return not any(feature.positions for feature in self.features.values())


class _Gram(NamedTuple):
    value: int
    position: int


def fingerprint(files: Mapping[str, bytes], *, kind: Kind = "code", base: Sequence[bytes] = ()) -> Prints:
    """Fingerprints of a submission's files, without what the instructor gave (`base`)."""
    if kind not in ("code", "prose"):
        raise ValueError(f"kind is {kind!r}; expected 'code' or 'prose'")
    texts = _texts(files)
    given = _given(base, _suffix(texts), kind)
    found = {
        feature: _feature(feature, texts, kind, given[feature])
        for feature in (FEATURES if kind == "code" else (WORDING,))
    }
    return Prints(
        kind=kind, features=found, whole_hash=_whole_hash(texts, found), text_hash=_text_hash(texts, found)
    )


def position_of(file_number: int, line: int) -> int:
    """File (counted in order of names) and line as one number."""
    return (file_number << _LINE_BITS) | min(line, (1 << _LINE_BITS) - 1)


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    room = MAX_CHARACTERS
    texts: dict[str, str] = {}
    for name in sorted(files)[:MAX_FILES]:
        texts[name] = decode(files[name])[:room]
        room -= len(texts[name])
    return texts


def _suffix(texts: Mapping[str, str]) -> str:
    """Ending of the first file: base code comes without names and is read in the same language."""
    name = next(iter(texts), "")
    return name[name.rindex(".") :] if "." in name else ""


def _given(base: Sequence[bytes], suffix: str, kind: Kind) -> dict[int, frozenset[int]]:
    texts = [decode(content)[:MAX_CHARACTERS] for content in base]
    return {
        feature: frozenset(
            gram.value for text in texts for gram in _grams(feature, f"base{suffix}", text, kind, 0)
        )
        for feature in FEATURES
    }


def _feature(feature: int, texts: Mapping[str, str], kind: Kind, given: frozenset[int]) -> Features:
    files = [
        [gram for gram in _grams(feature, name, text, kind, number) if gram.value not in given]
        for number, (name, text) in enumerate(texts.items())
    ]
    total = len({gram.value for grams in files for gram in grams})
    window = _window(feature, total)
    positions: dict[int, int] = {}
    for grams in files:
        for gram in winnow(grams, window):
            positions.setdefault(gram.value, gram.position)
    return Features(positions, total)


def _window(feature: int, total: int) -> int:
    """All fingerprints of short files; a quarter as dense with every fourfold length."""
    window, limit = 1, _UNWINNOWED[feature]
    while total > limit:
        window *= 4
        limit *= 4
    return window


def winnow(grams: Sequence[_Gram], window: int) -> Iterator[_Gram]:
    """Keep the smallest fingerprint of every window, the rightmost of equal ones."""
    if window <= 1 or len(grams) <= window:
        yield from grams if window <= 1 else sorted(grams)[:1]
        return
    last = -1
    smallest: deque[int] = deque()
    for index, gram in enumerate(grams):
        while smallest and grams[smallest[-1]].value >= gram.value:
            smallest.pop()
        smallest.append(index)
        if smallest[0] <= index - window:
            smallest.popleft()
        if index >= window - 1 and smallest[0] != last:
            last = smallest[0]
            yield grams[last]


def _grams(feature: int, name: str, text: str, kind: Kind, number: int) -> list[_Gram]:
    if feature == WORDING and kind == "code":
        return _character_grams(text, number)
    if feature == WORDING:
        tokens = [(token.form, token.line) for token in word_tokens(text)]
        return _token_grams(tokens, _PROSE_WORDS, feature, number)
    if feature == STRUCTURE:
        tokens = [(token.form, token.line) for token in code_tokens(name, text)]
    else:
        tokens = node_sequence(text) if name.endswith((".py", ".pyw")) else []
    return _token_grams(tokens, _LENGTHS[feature], feature, number)


def _character_grams(text: str, number: int) -> list[_Gram]:
    characters, lines = character_tokens(text)
    length = _LENGTHS[WORDING]
    return [
        _Gram(stable_hash(WORDING, characters[start : start + length]), position_of(number, lines[start]))
        for start in range(len(characters) - length + 1)
    ]


def _token_grams(tokens: Sequence[tuple[str, int]], length: int, feature: int, number: int) -> list[_Gram]:
    forms = [form for form, _ in tokens]
    return [
        _Gram(
            stable_hash(feature, "\x1f".join(forms[start : start + length])),
            position_of(number, tokens[start][1]),
        )
        for start in range(len(forms) - length + 1)
    ]


@lru_cache(maxsize=200_000)
def stable_hash(feature: int, text: str) -> int:
    """Signed 64-bit hash, the same in every process and on every machine."""
    raw = blake2b(text.encode("utf-8", "replace"), digest_size=8, salt=bytes([feature])).digest()
    return int.from_bytes(raw, "big", signed=True)


def _whole_hash(texts: Mapping[str, str], found: Mapping[int, Features]) -> int | None:
    """Hash of the normalised programs, in any order of files."""
    if STRUCTURE not in found or found[STRUCTURE].total < SHORTEST_WHOLE:
        return None
    streams = ("\x1f".join(token.form for token in code_tokens(name, text)) for name, text in texts.items())
    return _joint_hash(streams)


def _text_hash(texts: Mapping[str, str], found: Mapping[int, Features]) -> int | None:
    if found[WORDING].total < SHORTEST_TEXT:
        return None
    return _joint_hash("".join(text.split()) for text in texts.values())


def _joint_hash(parts: Iterable[str]) -> int:
    return stable_hash(0, "\x1e".join(sorted(part for part in parts if part)))
