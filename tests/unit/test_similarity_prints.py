"""Fingerprints: the same for what is the same, blind to disguise, bounded for what is hostile."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from app.academic.similarity.prints import (
    MAX_CHARACTERS,
    STRUCTURE,
    SYNTAX,
    WORDING,
    Kind,
    fingerprint,
    stable_hash,
    winnow,
)
from app.academic.similarity.syntax import is_parsable_size, node_sequence
from app.academic.similarity.tokens import code_tokens, word_tokens
from bench.disguise import reformatted, renamed, reordered

DATA = Path(__file__).parents[1] / "data" / "similarity" / "python"
SOURCE = (DATA / "words" / "s02.py.txt").read_text()

BOMBS = {
    "brackets": "x=" + "(" * 40_000 + ")" * 40_000,
    "signs": "x=" + "-" * 40_000 + "1",
    "sum": "x=1" + "+1" * 40_000,
    "attributes": "x=a" + ".a" * 40_000,
    "else-ifs": "if a:pass\n" + "elif a:pass\n" * 4_000,
    "lambdas": "x=" + "lambda:" * 10_000 + "1",
    "indents": "".join(" " * depth + "if a:\n" for depth in range(190)),
    "conditionals": "x=" + "1 if 1 else " * 8_000 + "1",
    "number": "x=" + "9" * 50_000,
    "quotes": '"""' * 20_000,
    "no-python": "public static void main(String[] args) {}",
}


def prints_of(source: str, feature: int = STRUCTURE, name: str = "a.py") -> set[int]:
    """Hashes of one feature of one file."""
    return set(fingerprint({name: source.encode()}).features[feature].hashes)


def test_hashes_are_the_same_everywhere() -> None:
    """Another process, machine or year computes the same number: they are stored."""
    assert 8_268_638_352_267_453 == stable_hash(STRUCTURE, "V\x1f=\x1fN")


def test_hashes_fit_a_signed_column() -> None:
    """A fingerprint is a signed 64-bit number."""
    assert all(-(2**63) <= value < 2**63 for value in prints_of(SOURCE, WORDING))


@pytest.mark.parametrize("disguise", [renamed, reformatted])
def test_structure_does_not_see_names_or_layout(disguise: object) -> None:
    """New names, quotes, comments and blank lines leave the structure as it was."""
    assert callable(disguise)
    copy = disguise(SOURCE)
    common = prints_of(SOURCE) & prints_of(copy)
    assert len(common) / len(prints_of(SOURCE)) > 0.9


def test_structure_survives_another_order() -> None:
    """Moved functions keep all their fingerprints but those over the seams."""
    source = (DATA / "words" / "s03.py.txt").read_text()
    common = prints_of(source, SYNTAX) & prints_of(reordered(source), SYNTAX)
    assert len(common) / len(prints_of(source, SYNTAX)) > 0.85


def test_comments_and_docstrings_are_wording_and_not_structure() -> None:
    """What says nothing to the machine says who wrote it."""
    commented = '"""What this does, at length."""\n# a remark of mine\n' + SOURCE
    assert prints_of(SOURCE) == prints_of(commented)
    assert prints_of(SOURCE, SYNTAX) == prints_of(commented, SYNTAX)
    plain, longer = (fingerprint({"a.py": it.encode()}).features[WORDING] for it in (SOURCE, commented))
    assert plain.total < longer.total
    assert len(plain.hashes & longer.hashes) > 0.9 * min(len(plain.hashes), len(longer.hashes))


def test_what_the_instructor_gave_is_left_out() -> None:
    """A stub handed in unchanged leaves nothing to compare."""
    prints = fingerprint({"a.py": SOURCE.encode()}, base=[SOURCE.encode()])
    assert prints.is_empty
    assert (None, None) == (prints.whole_hash, prints.text_hash)


def test_the_order_and_names_of_files_do_not_matter_for_the_whole() -> None:
    """Renaming files does not make another program."""
    one, two = ((DATA / task / "s01.py.txt").read_bytes() for task in ("words", "inventory"))
    first = fingerprint({"a.py": one, "b.py": two})
    second = fingerprint({"x.py": two, "y.py": one})
    assert None is not first.whole_hash
    assert first.whole_hash == second.whole_hash


@pytest.mark.parametrize("name", ["a.java", "a.c", "a.js", "a.unknown", "Makefile", "a"])
def test_any_language_has_structure(name: str) -> None:
    """Names are blind in languages with a lexer and in those without."""
    first = "int total = first + second * third; while (total > first) { total = total - second; }\n"
    second = first.replace("total", "sum").replace("first", "a").replace("second", "b")
    assert [token.form for token in code_tokens(name, first)] == [
        token.form for token in code_tokens(name, second)
    ]
    assert prints_of(first, name=name)


def test_prose_is_compared_by_words_only() -> None:
    """Case and punctuation do not matter in prose, and there is no structure to speak of."""
    first = fingerprint({"a.txt": b"The quick, brown fox jumps."}, kind="prose")
    second = fingerprint({"b.txt": b"the QUICK brown fox - jumps"}, kind="prose")
    assert [WORDING] == list(first.features)
    assert 3 == len(first.features[WORDING].hashes)
    assert first.digest == second.digest


def test_words_know_their_lines() -> None:
    """Evidence is shown beside line numbers."""
    assert [("it's", 1), ("two", 3)] == [(word.form, word.line) for word in word_tokens("It's\n\ntwo")]


def test_an_unknown_kind_is_refused() -> None:
    """The message says what was expected."""
    kind: Kind = "song"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="kind is 'song'; expected 'code' or 'prose'"):
        fingerprint({}, kind=kind)


@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2", b"\xff\xfe\xfd", b"\xef\xbb\xbf", "\ud800".encode("utf-8", "surrogatepass")]
)
def test_bytes_that_are_no_text_do_no_harm(content: bytes) -> None:
    """Whatever was handed in, there are fingerprints or there are none."""
    assert fingerprint({"a.py": content}).whole_hash is None


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_parser_bomb_falls_back_to_tokens(bomb: str) -> None:
    """Hostile Python costs neither the process nor much time."""
    begun = time.process_time()
    prints = fingerprint({"a.py": bomb.encode()})
    assert frozenset() == prints.features[SYNTAX].hashes
    assert time.process_time() - begun < 5


def test_ordinary_python_is_parsed() -> None:
    """The bounds against bombs do not hit what people write."""
    assert all(is_parsable_size(path.read_text()) for path in DATA.rglob("*.txt"))
    assert ("FunctionDef", 2) == node_sequence("\ndef f():\n    '''Docstring.'''\n    return 1\n")[0]
    assert ["FunctionDef", "arguments", "Return", "Constant"] == [
        kind for kind, _ in node_sequence("def f():\n    '''Docstring.'''\n    return 1\n")
    ]


def test_python_is_parsed_without_a_warning() -> None:
    """A student's odd escape is not our warning."""
    assert node_sequence("x = '\\d'\n")


def test_a_large_submission_is_cut() -> None:
    """Fingerprints are bounded whatever the size."""
    line = "value{0} = function{0}({0}, 'text {0}')\n"
    source = "".join(line.format(number) for number in range(MAX_CHARACTERS // 20))
    prints = fingerprint({"a.py": source.encode()})
    assert all(len(feature.hashes) < 8_000 for feature in prints.features.values())


def test_winnowing_keeps_one_of_every_window() -> None:
    """No run as long as a window is without a kept fingerprint."""
    grams = [stable_hash(0, str(number)) for number in range(300)]
    kept = [grams.index(gram) for gram in winnow(grams, 4)]
    assert all(later - earlier <= 4 for earlier, later in itertools.pairwise(kept))
    assert len(kept) < 150


def test_what_a_wide_window_keeps_a_narrow_one_keeps_too() -> None:
    """Files of different length stay comparable."""
    grams = [stable_hash(0, str(number)) for number in range(300)]
    assert set(winnow(grams, 16)) <= set(winnow(grams, 4)) <= set(winnow(grams, 1))
