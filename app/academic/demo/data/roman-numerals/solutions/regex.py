import re

PATTERN = re.compile(
    "(M{0,3})(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})"
)
ONES = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
TENS = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
HUNDREDS = ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"]
THOUSANDS = ["", "M", "MM", "MMM"]


def to_roman(number):
    if number < 1 or number > 3999:
        raise ValueError("out of range")
    return (
        THOUSANDS[number // 1000]
        + HUNDREDS[number // 100 % 10]
        + TENS[number // 10 % 10]
        + ONES[number % 10]
    )


def from_roman(text):
    found = PATTERN.fullmatch(text)
    if text == "" or found is None:
        raise ValueError("not a roman numeral")
    m, c, x, i = found.groups()
    return (
        THOUSANDS.index(m) * 1000 + HUNDREDS.index(c) * 100
        + TENS.index(x) * 10 + ONES.index(i)
    )
