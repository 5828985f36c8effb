def to_roman(number):
    numerals = [
        (1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'),
        (100, 'C'), (90, 'XC'), (50, 'L'), (40, 'XL'),
        (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I'),
    ]
    out = ''
    for value, letters in numerals:
        while number >= value:
            out += letters
            number -= value
    return out


def from_roman(text):
    letters = dict(I=1, V=5, X=10, L=50, C=100, D=500, M=1000)
    previous = 0
    total = 0
    for letter in reversed(text):
        current = letters[letter]
        if current < previous:
            total -= current
        else:
            total += current
            previous = current
    return total
