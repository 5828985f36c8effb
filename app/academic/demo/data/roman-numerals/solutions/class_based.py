class Converter:
    def __init__(self):
        self.forward = {}
        self.backward = {}
        for thousands in range(4):
            for hundreds in range(10):
                for tens in range(10):
                    for ones in range(10):
                        self.remember(thousands, hundreds, tens, ones)

    def remember(self, *digits):
        number = int("".join(map(str, digits)))
        numeral = ""
        for digit, letters in zip(digits, ["M??", "CDM", "XLC", "IVX"]):
            forms = ["", "0", "00", "000", "01", "1", "10", "100", "1000", "02"]
            for c in forms[digit]:
                numeral += letters[int(c)]
        if number:
            self.forward[number] = numeral
            self.backward[numeral] = number


converter = Converter()


def to_roman(number):
    try:
        return converter.forward[number]
    except KeyError:
        raise ValueError(number) from None


def from_roman(text):
    try:
        return converter.backward[text]
    except KeyError:
        raise ValueError(text) from None
