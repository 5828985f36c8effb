# Write everything with I first, then replace groups from small to large.
RULES = [("IIIII", "V"), ("VV", "X"), ("XXXXX", "L"), ("LL", "C"), ("CCCCC", "D"), ("DD", "M")]
SHORT = [("VIIII", "IX"), ("IIII", "IV"), ("LXXXX", "XC"), ("XXXX", "XL"), ("DCCCC", "CM"), ("CCCC", "CD")]


def to_roman(number):
    if number < 1:
        raise ValueError("too small")
    if number > 3999:
        raise ValueError("too large")
    text = "I" * number
    for old, new in RULES + SHORT:
        text = text.replace(old, new)
    return text


def from_roman(text):
    original = text
    for old, new in SHORT:
        text = text.replace(new, old)
    for old, new in reversed(RULES):
        text = text.replace(new, old)
    count = text.count("I")
    if count != len(text) or count == 0 or to_roman(count) != original:
        raise ValueError("cannot read " + original)
    return count
