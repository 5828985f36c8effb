"""What a converter of Roman numerals must do."""

import pytest

from roman import from_roman, to_roman


@pytest.mark.parametrize("number, numeral", [(1, "I"), (4, "IV"), (9, "IX")])
def test_small_numbers(number, numeral):
    """Numbers up to ten are written with I, V and X."""
    assert to_roman(number) == numeral


def test_subtractive_forms():
    """Four and nine subtract in every decade."""
    assert to_roman(1994) == "MCMXCIV"
    assert to_roman(444) == "CDXLIV"


def test_largest_number():
    """3999 is the largest number with a numeral."""
    assert to_roman(3999) == "MMMCMXCIX"


@pytest.mark.parametrize("number", [0, -5, 4000])
def test_out_of_range(number):
    """A number without a numeral is refused."""
    with pytest.raises(ValueError):
        to_roman(number)


def test_reads_plain_numerals():
    """Letters of falling value add up."""
    assert from_roman("MDCLXVI") == 1666


def test_reads_subtractive_numerals():
    """A smaller letter before a larger one is subtracted."""
    assert from_roman("MCMXCIV") == 1994


def test_there_and_back():
    """Reading what was written gives the number again."""
    for number in (1, 14, 49, 90, 400, 1666, 2026, 3999):
        assert from_roman(to_roman(number)) == number


@pytest.mark.parametrize("text", ["", "ABC", "IIII", "VX"])
def test_refuses_nonsense(text):
    """What is no numeral is refused."""
    with pytest.raises(ValueError):
        from_roman(text)
