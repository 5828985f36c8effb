PAIRS = {1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L",
         40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I"}


def to_roman(n):
    if n <= 0 or n >= 4000:
        raise ValueError
    return _write(n)


def _write(n):
    if n == 0:
        return ""
    biggest = max(v for v in PAIRS if v <= n)
    return PAIRS[biggest] + _write(n - biggest)


def from_roman(text):
    total = _read(text)
    if total == 0 or total > 3999 or _write(total) != text:
        raise ValueError
    return total


def _read(text):
    if not text:
        return 0
    for v, s in PAIRS.items():
        if text.startswith(s):
            return v + _read(text[len(s):])
    raise ValueError("bad letter " + text[0])
