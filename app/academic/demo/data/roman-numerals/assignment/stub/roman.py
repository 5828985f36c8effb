"""Roman numerals, both ways."""


def to_roman(number):
    """Give the Roman numeral of a number from 1 to 3999."""


def from_roman(text):
    """Give the number that a Roman numeral stands for."""
