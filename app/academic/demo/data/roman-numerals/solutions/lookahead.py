values = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}


def from_roman(text):
    """Adds each letter, or subtracts it if the next one is worth more."""
    if not text:
        raise ValueError('empty')
    total = 0
    for index, letter in enumerate(text):
        if letter not in values:
            raise ValueError('unknown letter: ' + letter)
        value = values[letter]
        if index + 1 < len(text) and values.get(text[index + 1], 0) > value:
            total -= value
        else:
            total += value
    return total


def to_roman(number):
    if not 0 < number < 4000:
        raise ValueError('number must be between 1 and 3999')
    parts = []
    while number >= 1000:
        parts.append('M')
        number -= 1000
    for ten, five, one, unit in (('M', 'D', 'C', 100), ('C', 'L', 'X', 10), ('X', 'V', 'I', 1)):
        digit = number // unit
        number = number % unit
        if digit == 9:
            parts.append(one + ten)
        elif digit >= 5:
            parts.append(five + one * (digit - 5))
        elif digit == 4:
            parts.append(one + five)
        else:
            parts.append(one * digit)
    return ''.join(parts)
