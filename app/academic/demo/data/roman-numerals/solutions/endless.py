def to_roman(number):
    result = ""
    table = {"M": 1000, "CM": 900, "D": 500, "CD": 400, "C": 100, "XC": 90,
             "L": 50, "XL": 40, "X": 10, "IX": 9, "V": 5, "IV": 4, "I": 1}
    while number != 0:
        for numeral in table:
            if table[numeral] <= number:
                result = result + numeral
                number = number - table[numeral]
                break
    return result


def from_roman(text):
    table = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
    i = 0
    result = 0
    while i < len(text):
        if text[i] not in table:
            raise ValueError(text)
        if i + 1 < len(text) and table[text[i]] < table[text[i + 1]]:
            result = result + table[text[i + 1]] - table[text[i]]
            i = i + 2
        else:
            result = result + table[text[i]]
            i = i + 1
    return result
