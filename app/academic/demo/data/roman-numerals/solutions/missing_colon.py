SYMBOLS = ["I", "IV", "V", "IX", "X", "XL", "L", "XC", "C", "CD", "D", "CM", "M"]
WEIGHTS = [1, 4, 5, 9, 10, 40, 50, 90, 100, 400, 500, 900, 1000]

def to_roman(number)
    text = ""
    position = 12
    while number > 0:
        if WEIGHTS[position] <= number:
            text += SYMBOLS[position]
            number -= WEIGHTS[position]
        else:
            position -= 1
    return text
