"""Roman numerals by means of generators."""
from itertools import zip_longest

STEPS = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
NAMES = "M CM D CD C XC L XL X IX V IV I".split()


def take(number):
    for step, name in zip(STEPS, NAMES):
        while step <= number:
            yield name
            number -= step


def to_roman(number):
    if isinstance(number, bool) or not 1 <= number < 4000:
        raise ValueError(f"{number} cannot be written")
    return "".join(take(number))


def worth(text):
    single = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000)))
    amounts = [single[c] for c in text]
    for here, following in zip_longest(amounts, amounts[1:], fillvalue=0):
        yield -here if here < following else here


def from_roman(text):
    if set(text) - set("IVXLCDM") or not text:
        raise ValueError(f"{text!r} has letters that are no numerals")
    number = sum(worth(text))
    if "".join(take(number)) != text:
        raise ValueError(f"{text!r} is not how {number} is written")
    return number
