"""Weights and scales: rare is heavy, 50 is the finding, more overlap is never a lower score."""

from __future__ import annotations

import itertools
import math

import pytest

from app.academic.similarity import score
from app.academic.similarity.prints import STRUCTURE, SYNTAX, WORDING
from app.academic.similarity.score import (
    DOUBT_WORDING,
    Overlap,
    Rarity,
    on_scale,
    score_code,
    score_of,
    score_prose,
)

SCALES = [value for name, value in vars(score).items() if name.endswith("_SCALE")]
NOTHING = Overlap()


def overlap(share: float, *, size: int = 300) -> Overlap:
    """Two equally large sets that share so much."""
    return Overlap(shared=share * 100, total_a=100, total_b=100, count_a=size, count_b=size)


def code(
    structure: Overlap, wording: Overlap, *, is_small: bool = False, is_same: bool = False
) -> score.Score:
    """Score of two programs in a language without syntax fingerprints."""
    overlaps = {STRUCTURE: structure, SYNTAX: NOTHING, WORDING: wording}
    return score_code(overlaps, is_small=is_small, is_same_group=is_same)


def test_rare_fingerprints_weigh_more() -> None:
    """The weight is ln^2(N/n)."""
    rarity = Rarity(25)
    assert math.log(12.5) ** 2 == pytest.approx(rarity.weight(2))
    assert rarity.weight(2) > rarity.weight(4) > 0


@pytest.mark.parametrize(("authors", "common"), [(5, 3), (15, 3), (25, 5), (400, 80)])
def test_what_many_have_weighs_nothing(authors: int, common: int) -> None:
    """More than a fifth of the class, and more than three: that is the task."""
    rarity = Rarity(authors)
    assert rarity.weight(common) > 0
    assert 0 == rarity.weight(common + 1)


@pytest.mark.parametrize("authors", [2, 3, 4])
def test_in_a_small_class_what_all_have_still_weighs(authors: int) -> None:
    """Two authors with the same program must be found although all have it."""
    assert Rarity(authors).weight(authors) > 0


def test_in_prose_a_source_that_many_copied_still_weighs() -> None:
    """Half of a class may copy from the same page."""
    assert (1.0, 1.0, 0.0) == tuple(Rarity(20, "prose").weight(authors) for authors in (1, 10, 11))


@pytest.mark.parametrize("scale", SCALES)
def test_scales_rise_from_0_to_100(scale: score.Scale) -> None:
    """More overlap is never a lower score, and no score leaves 0 to 100."""
    read = [on_scale(scale, step / 50) for step in range(56)]
    assert (0, 100) == (read[0], read[-1])
    assert all(earlier <= later for earlier, later in itertools.pairwise(read))


def test_two_witnesses_support_each_other() -> None:
    """Structure and wording together are more than either, and no innocence outweighs one."""
    both = code(overlap(0.45), overlap(0.2))
    assert both.structure is not None
    assert both.wording is not None
    assert max(both.structure, both.wording) < both.value < 100
    assert code(overlap(1), overlap(0)).value >= 95


def test_a_short_program_is_judged_by_its_wording_only() -> None:
    """Short programs have the same structure honestly."""
    found = code(overlap(1, size=30), overlap(0.1))
    assert (None, found.wording) == (found.structure, found.value)


def test_a_very_short_program_is_not_judged() -> None:
    """Nobody is accused of `print("Hello")`."""
    found = code(overlap(1, size=5), overlap(1, size=10))
    assert (0, None, None) == (found.value, found.structure, found.wording)


def test_the_same_whole_program_is_found_though_all_of_it_is_common() -> None:
    """A ring larger than a fifth of the class does not hide in its size."""
    found = code(NOTHING, NOTHING, is_same=True)
    assert (score.SAME_GROUP_SCORE, True) == (found.value, found.is_same_group)


def test_a_small_class_is_judged_more_strictly() -> None:
    """Without rarity only near copies can be told."""
    assert code(overlap(0.7), NOTHING).value >= 50 > code(overlap(0.7), NOTHING, is_small=True).value


def test_prose_is_flagged_at_a_twelfth() -> None:
    """Three words in a row that are the same are rare among honest writers."""
    value = [
        score_prose({WORDING: overlap(share)}, is_small=False, is_same_group=False).value
        for share in (0.05, 0.08, 0.5)
    ]
    assert value[0] < 50 <= value[1] < value[2]


def test_overlap_is_never_more_than_all() -> None:
    """Scaling up winnowed files does not overshoot."""
    too_much = Overlap(shared=200, total_a=100, total_b=150, count_a=1, count_b=1)
    assert (1.0, 1.0) == (too_much.containment(), too_much.dice())


def test_little_evidence_is_doubted() -> None:
    """All of ten rare fingerprints is less than all of two hundred."""
    few, many = (Overlap(shared=n, total_a=n, total_b=n, count_a=99, count_b=99) for n in (10, 200))
    assert few.containment(DOUBT_WORDING) < 0.5 < many.containment(DOUBT_WORDING)
    assert few.dice(DOUBT_WORDING) < 0.5 < many.dice(DOUBT_WORDING)


def test_the_same_text_is_as_alike_as_can_be() -> None:
    """Doubt is for what is partly alike."""
    nothing = {WORDING: NOTHING, STRUCTURE: NOTHING}
    same = score_of("code", nothing, is_small=False, is_same_group=True, is_same_text=True)
    assert 100 == same.value
