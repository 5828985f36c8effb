# Works digit by digit: every decade has a one, a five and a ten.
DECADES = [("I", "V", "X"), ("X", "L", "C"), ("C", "D", "M"), ("M", "", "")]


def digit_to_roman(digit, one, five, ten):
    if digit <= 3:
        return one * digit
    if digit == 4:
        return one + five
    if digit == 9:
        return one + ten
    return five + one * (digit - 5)


def to_roman(number):
    if number not in range(1, 4000):
        raise ValueError("only 1 to 3999 can be written")
    result = ""
    for position, char in enumerate(reversed(str(number))):
        result = digit_to_roman(int(char), *DECADES[position]) + result
    return result


ALL = {}


def from_roman(text):
    # Build the whole table once, it is only 3999 entries.
    if not ALL:
        for n in range(1, 4000):
            ALL[to_roman(n)] = n
    if text not in ALL:
        raise ValueError(text + " is not a numeral")
    return ALL[text]
