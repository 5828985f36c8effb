"""Fingerprints of a submission: the slow part, done outside of any transaction.

Two bodies of evidence. *Structure*: runs of 8 normalised tokens, for Python also runs of 5
syntax nodes; it survives renaming and reformatting. *Wording*: runs of 12 characters without
white space, for prose runs of 3 words; it holds comments, literals and odd names. Of the
characters' runs in all but short programs every second or fourth is kept, chosen by its hash, so
that all choose the same.
Long files are winnowed (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): of every window
of fingerprints the smallest is kept. Windows are powers of four, so that what a longer file
keeps is among what a shorter one would have kept.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from zlib import crc32

from app.academic.similarity.syntax import node_sequence, units
from app.academic.similarity.tokens import character_tokens, code_tokens, decode, word_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Kind = Literal["code", "prose"]

STRUCTURE: Final = 1
SYNTAX: Final = 2
WORDING: Final = 3
FEATURES: Final = {STRUCTURE: "structure", SYNTAX: "syntax", WORDING: "wording"}
VERSION: Final = 2
"""Of how fingerprints are made: what another version made is not compared with, but made again."""

_LENGTHS: Final = {STRUCTURE: 8, SYNTAX: 5, WORDING: 12}
_PROSE_WORDS: Final = 3
_DENSE: Final = 600  # characters' runs; of twice as many every second is kept, of more every fourth
_UNWINNOWED: Final = 2_000
MAX_FILES: Final = 50
MAX_CHARACTERS: Final = 400_000  # of one submission; what is beyond is not compared
SHORTEST_WHOLE: Final = 200  # in short programs two people's structure may well be the same
SHORTEST_SYNTAX: Final = 80  # nodes of Python; it says more in fewer words
SHORTEST_TEXT: Final = 250


class Features(NamedTuple):
    """Fingerprints of one feature, and how many there were before sampling and winnowing."""

    hashes: frozenset[int]
    total: int

    @property
    def scale(self) -> float:
        """How many fingerprints one kept fingerprint stands for."""
        return self.total / len(self.hashes) if self.hashes else 1.0


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
        made = blake2b(f"{VERSION}:{self.kind}:{self.whole_hash}:{self.text_hash}".encode(), digest_size=16)
        for feature, found in self.features.items():
            made.update(f"{feature}:{sorted(found.hashes)}".encode())
        return made.hexdigest()

    @property
    def hashes(self) -> frozenset[int]:
        """All fingerprints, whatever they are of."""
        return frozenset().union(*(feature.hashes for feature in self.features.values()))

    @property
    def is_empty(self) -> bool:
        """Nothing was left to compare."""
        return not self.hashes


class _Source(NamedTuple):
    """A file as it is read: its normalised tokens are asked for more than once."""

    name: str
    text: str
    forms: Sequence[str]
    nodes: Sequence[str]


def fingerprint(files: Mapping[str, bytes], *, kind: Kind = "code", base: Sequence[bytes] = ()) -> Prints:
    """Fingerprints of a submission's files, without what the instructor gave (`base`)."""
    if kind not in ("code", "prose"):
        raise ValueError(f"kind is {kind!r}; expected 'code' or 'prose'")
    sources = _sources(files, kind)
    given = _sources({f"base{number}{_suffix(sources)}": it for number, it in enumerate(base)}, kind)
    found = {
        feature: _feature(feature, sources, kind, given)
        for feature in (FEATURES if kind == "code" else (WORDING,))
    }
    return Prints(
        kind=kind,
        features=found,
        whole_hash=_whole_hash(sources, found),
        text_hash=_text_hash(sources, found),
    )


def _sources(files: Mapping[str, bytes], kind: Kind) -> list[_Source]:
    room = MAX_CHARACTERS
    sources: list[_Source] = []
    for name in sorted(files)[:MAX_FILES]:
        text = decode(files[name])[:room]
        room -= len(text)
        is_code = kind == "code"
        forms = [token.form for token in code_tokens(name, text)] if is_code else []
        is_python = is_code and name.endswith((".py", ".pyw"))
        nodes = [node for node, _ in node_sequence(text)] if is_python else []
        sources.append(_Source(name, text, forms, nodes))
    return sources


def _suffix(sources: Sequence[_Source]) -> str:
    """Ending of the first file: base code comes without names and is read in the same language."""
    name = sources[0].name if sources else ""
    return name[name.rindex(".") :] if "." in name else ""


def _feature(feature: int, sources: Sequence[_Source], kind: Kind, base: Sequence[_Source]) -> Features:
    if (feature, kind) == (WORDING, "code"):
        rate = _rate(sources)
        files = [_character_grams(source.text, rate) for source in sources]
        given = frozenset(value for source in base for value in _character_grams(source.text, rate))
    else:
        rate = 1
        files = [_grams(feature, source) for source in sources]
        given = frozenset(value for source in base for value in _grams(feature, source))
    files = [[value for value in values if value not in given] for values in files]
    found = frozenset(value for values in files for value in values)
    window = _window(len(found))
    kept = frozenset(value for values in files for value in winnow(values, window)) if window > 1 else found
    return Features(kept, len(found) * rate)


def _rate(sources: Sequence[_Source]) -> int:
    """One in so many characters' runs is kept; what a long program keeps a short one keeps too."""
    size = sum(len(source.text) - sum(map(source.text.count, " \n\t")) for source in sources)
    if size <= _DENSE:
        return 1
    return 2 if size <= 2 * _DENSE else 4


def _window(total: int) -> int:
    """All fingerprints of short files; a quarter as dense with every fourfold length."""
    window, limit = 1, _UNWINNOWED
    while total > limit:
        window *= 4
        limit *= 4
    return window


def winnow(values: Sequence[int], window: int) -> Iterator[int]:
    """Keep the smallest fingerprint of every window, the rightmost of equal ones."""
    if window <= 1 or len(values) <= window:
        yield from values if window <= 1 else sorted(values)[:1]
        return
    last = -1
    smallest: deque[int] = deque()
    for index, value in enumerate(values):
        while smallest and values[smallest[-1]] >= value:
            smallest.pop()
        smallest.append(index)
        if smallest[0] <= index - window:
            smallest.popleft()
        if index >= window - 1 and smallest[0] != last:
            last = smallest[0]
            yield values[last]


def _grams(feature: int, source: _Source) -> list[int]:
    if feature == WORDING:
        return _token_grams([token.form for token in word_tokens(source.text)], _PROSE_WORDS, feature)
    if feature == STRUCTURE:
        return _token_grams(source.forms, _LENGTHS[feature], feature)
    return _token_grams(source.nodes, _LENGTHS[feature], feature)


def _character_grams(text: str, rate: int) -> list[int]:
    characters, _ = character_tokens(text)
    length = _LENGTHS[WORDING]
    runs = (characters[start : start + length] for start in range(len(characters) - length + 1))
    if rate > 1:
        runs = (run for run in runs if not crc32(run.encode("utf-8", "replace")) % rate)
    return [stable_hash(WORDING, run) for run in runs]


def _token_grams(forms: Sequence[str], length: int, feature: int) -> list[int]:
    runs = ("\x1f".join(forms[start : start + length]) for start in range(len(forms) - length + 1))
    return [stable_hash(feature, run) for run in runs]


def run_hashes(forms: Sequence[str], kind: str) -> list[int]:
    """Fingerprints of a part of a submission, as the whole of it has them among its own."""
    if kind == "prose":
        return _token_grams(forms, _PROSE_WORDS, WORDING)
    return _token_grams(forms, _LENGTHS[STRUCTURE], STRUCTURE)


def stable_hash(feature: int, text: str) -> int:
    """Signed 64-bit hash, the same in every process and on every machine."""
    raw = blake2b(text.encode("utf-8", "replace"), digest_size=8, salt=_SALTS[feature]).digest()
    return int.from_bytes(raw, "big", signed=True)


_SALTS: Final = tuple(bytes([feature]) for feature in range(4))


def _whole_hash(sources: Sequence[_Source], found: Mapping[int, Features]) -> int | None:
    """Hash of the normalised programs, in any order of files and, of Python, of functions."""
    if found.get(SYNTAX) and all(source.nodes for source in sources if source.forms):
        nodes = sum(len(source.nodes) for source in sources)
        parts = (part for source in sources for part in units(source.nodes))
        return _joint_hash(parts) if nodes >= SHORTEST_SYNTAX and found[SYNTAX].hashes else None
    if STRUCTURE not in found or found[STRUCTURE].total < SHORTEST_WHOLE:
        return None
    return _joint_hash("\x1f".join(source.forms) for source in sources)


def _text_hash(sources: Sequence[_Source], found: Mapping[int, Features]) -> int | None:
    if found[WORDING].total < SHORTEST_TEXT:
        return None
    return _joint_hash("".join(source.text.split()) for source in sources)


def _joint_hash(parts: Iterable[str]) -> int:
    return stable_hash(0, "\x1e".join(sorted(part for part in parts if part)))
