"""Roman numerals, both ways."""

SIGNS = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)


def to_roman(number):
    """Give the Roman numeral of a number from 1 to 3999."""
    if not 1 <= number <= 3999:
        raise ValueError(f"no numeral for {number}")
    numeral = ""
    for value, sign in SIGNS:
        count, number = divmod(number, value)
        numeral += sign * count
    return numeral


def from_roman(text):
    """Give the number that a Roman numeral stands for."""
    number, rest = 0, text
    for value, sign in SIGNS:
        while rest.startswith(sign):
            number, rest = number + value, rest[len(sign):]
    if rest or not text or to_roman(number) != text:
        raise ValueError(f"not a numeral: {text!r}")
    return number
