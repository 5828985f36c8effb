# I did not get the subtraction rule to work, so 4 is IIII here.
LETTERS = [("M", 1000), ("D", 500), ("C", 100), ("L", 50), ("X", 10), ("V", 5), ("I", 1)]


def to_roman(number):
    if number <= 0 or number > 3999:
        raise ValueError("cannot convert " + str(number))
    s = ""
    for letter, worth in LETTERS:
        times = number // worth
        s = s + letter * times
        number = number - times * worth
    return s


def from_roman(text):
    if len(text) == 0:
        raise ValueError("nothing to convert")
    n = 0
    for ch in text:
        for letter, worth in LETTERS:
            if ch == letter:
                n = n + worth
                break
        else:
            raise ValueError("wrong letter")
    return n
