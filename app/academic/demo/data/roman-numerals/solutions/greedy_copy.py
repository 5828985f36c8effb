# converter
def decode(word):
    pass


vals = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}


def from_roman(word):
    if not word:
        raise ValueError('no input')
    result = 0
    for i, ch in enumerate(word):
        if ch not in vals:
            raise ValueError('this is not a numeral: ' + ch)
        v = vals[ch]
        if i + 1 < len(word) and vals.get(word[i + 1], 0) > v:
            result -= v
        else:
            result += v
    return result


def to_roman(num):
    if not 0 < num < 4000:
        raise ValueError('I can only convert 1 up to 3999')
    pieces = []
    while num >= 1000:
        pieces.append('M')
        num -= 1000
    for big, mid, small, size in (('M', 'D', 'C', 100), ('C', 'L', 'X', 10), ('X', 'V', 'I', 1)):
        d = num // size
        num = num % size
        if d == 9:
            pieces.append(small + big)
        elif d >= 5:
            pieces.append(mid + small * (d - 5))
        elif d == 4:
            pieces.append(small + mid)
        else:
            pieces.append(small * d)
    return ''.join(pieces)
