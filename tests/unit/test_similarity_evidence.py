"""Side by side evidence: numbered blocks in both works, each with its reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.academic.similarity.evidence import MAX_PASSAGES, Passage, passages
from bench.disguise import renamed

TASK = Path(__file__).parents[1] / "data" / "similarity" / "python" / "words"
SOURCE = (TASK / "s01.py.txt").read_bytes()
OTHER = (TASK / "s05.py.txt").read_bytes()

FIRST = (
    b"def first(items):\n    total = 0\n    for item in items:\n        total += item * 2\n    return total\n"
)
SECOND = (
    b"def second(rows):\n    while rows and rows[-1] is None:\n"
    b"        rows.pop(len(rows) - 1)\n    return rows[0]\n"
)


def shared(one: bytes, two: bytes, **options: object) -> list[Passage]:
    """Passages of two programs of one file each."""
    base = options.get("base", b"")
    assert isinstance(base, bytes)
    return passages({"one.py": one}, {"two.py": two}, base=[base] if base else ())


def test_the_same_file_is_one_block() -> None:
    """Everything from the first line to the last, as identical text."""
    found = shared(SOURCE, SOURCE)
    last = SOURCE.decode().rstrip().count("\n") + 1
    assert [("identical text", 1, last, 1, last)] == [
        (it.reason, it.first_line_a, it.last_line_a, it.first_line_b, it.last_line_b) for it in found
    ]
    assert ("one.py", "two.py") == (found[0].file_a, found[0].file_b)


def test_renamed_code_says_so() -> None:
    """The reader is told why two blocks that look different are shown."""
    found = shared(SOURCE, renamed(SOURCE.decode()).encode())
    assert "same structure, names changed" in {it.reason for it in found}
    assert not any(it.is_reordered for it in found)


def test_moved_blocks_are_reordered() -> None:
    """What stands in another order is found and named."""
    found = shared(FIRST + SECOND, SECOND + FIRST)
    assert 2 == len(found)
    assert 1 == sum(it.is_reordered for it in found)
    assert any(it.reason == "identical text, reordered" for it in found)


def test_blocks_are_numbered_in_the_order_of_the_first() -> None:
    """Numbers link the two sides."""
    found = shared(FIRST + SECOND, SECOND + FIRST)
    assert [1, 2] == [it.number for it in found]
    assert found[0].first_line_a < found[1].first_line_a


def test_what_the_instructor_gave_is_grey() -> None:
    """Given code is marked, other shared code is not."""
    found = shared(FIRST + b"\nx = 1\n" + SECOND, SECOND + b"\n'a'\n" + FIRST, base=FIRST)
    assert {("given by the instructor", True), ("identical text", False)} == {
        (it.reason.split(",")[0], it.is_base) for it in found
    }


def test_blocks_do_not_overlap() -> None:
    """No line counts twice."""
    found = shared(SOURCE + SOURCE, SOURCE)
    covered = sum(it.token_count for it in found)
    assert covered <= sum(it.token_count for it in shared(SOURCE, SOURCE))


def test_independent_work_shares_little() -> None:
    """Short runs that every program has are not shown."""
    assert sum(it.token_count for it in shared(SOURCE, OTHER)) < 80


def test_a_block_stays_within_its_files() -> None:
    """The end of one file and the start of the next are not one block."""
    found = passages({"a.py": FIRST, "b.py": SECOND}, {"c.py": FIRST + SECOND})
    assert [("a.py", "c.py"), ("b.py", "c.py")] == [(it.file_a, it.file_b) for it in found]


def test_prose_is_shown_by_words() -> None:
    """Line breaks and case do not hide a copied sentence."""
    found = passages(
        {"a.txt": b"In short: the quick brown fox\njumps over the dog."},
        {"b.txt": b"They say The Quick Brown Fox jumps over the dog, always."},
        kind="prose",
    )
    assert [(1, 2, 8)] == [(it.first_line_a, it.last_line_a, it.token_count) for it in found]


@pytest.mark.parametrize("content", [b"", b"\0", b"x = 1\n" * 20_000, b"[" * 60_000])
def test_hostile_content_is_bounded(content: bytes) -> None:
    """Repetition, emptiness and brackets cost little and give few blocks."""
    begun = time.process_time()
    assert len(shared(content, content)) <= MAX_PASSAGES
    assert time.process_time() - begun < 5
