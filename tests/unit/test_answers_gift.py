"""Question banks in GIFT: what is read, and that what cannot be is named with its line."""

from __future__ import annotations

from fractions import Fraction

import pytest

from app.academic.grading.answers.gift import BadGift, read_gift
from app.academic.grading.answers.judging import judge

BANK = """\
// A comment, and a category.
$CATEGORY: maths

::Pi:: What is \\#pi\\: roughly? {#3.14:0.005}

::Sum::[html]2 + 2 is {=4#right =four ~5#no, one less ~22}

Zero is a natural number. {T#so we say}

A number between one and five {#1..5}

Which are prime? {
  ~%50%2
  ~%50%3
  ~%-100%4
}

The law of {=De Morgan =%50%Morgan} turns and into or.

::Year:: When? {#
  =1822:0
  =%50%1822:2
}
"""


def test_a_bank_is_read_in_its_order() -> None:
    """Numeric, short, single, several and true or false become our kinds, with titles as names."""
    found = read_gift(BANK)
    kinds = ["numeric", "single_choice", "boolean", "numeric", "multi_choice", "short_text", "numeric"]
    assert kinds == [question.kind for question in found]
    assert ["Pi", "Sum", "q3"] == [question.id for question in found[:3]]
    assert "What is #pi: roughly?" == found[0].prompt
    assert ("4", "four", "5", "22") == found[1].options
    assert "The law of _____ turns and into or." == found[5].prompt
    assert (Fraction(2), Fraction(0)) == found[3].tolerance


@pytest.mark.parametrize(
    ("number", "said", "fraction"),
    [
        (0, "3.1449", 1.0),
        (0, "3.1451", 0.0),
        (1, "four", 1.0),
        (2, "yes", 1.0),
        (3, "5", 1.0),
        (4, "2, 3", 1.0),
        (4, "2", 0.5),
        (4, "2, 3, 4", 0.0),
        (5, "morgan", 0.5),
        (6, "1822", 1.0),
        (6, "1823", 0.5),
    ],
)
def test_shares_of_a_bank_count(number: int, said: str, fraction: float) -> None:
    """Percentages, tolerances and ranges of the bank decide as they do where it comes from."""
    assert fraction == judge(read_gift(BANK)[number], said).fraction


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nA description without answers", "line 2: expected answers in braces"),
        ("Write an essay {}", "line 1: an essay has no key"),
        ("Match {=a -> b =c -> d}", "line 1: matching questions"),
        ("Not a number {#abc}", "line 1: expected a number"),
        ("Nothing right {~a ~b}", "line 1: expected at least one right answer"),
        ("Open {=a", "line 1: expected one pair of braces"),
        ("Same twice {=a ~A}", "line 1: options: expected options that differ"),
    ],
)
def test_what_a_bank_cannot_mean_is_named(text: str, said: str) -> None:
    """A question that is not supported is refused with its line, never guessed."""
    with pytest.raises(BadGift, match=said):
        read_gift(text)
