def no_discount(amount):
    return amount


def ten(amount):
    return amount - amount // 10


def five_off(amount):
    return 0 if amount < 500 else amount - 500


CODES = {"TEN": ten, "FIVEOFF": five_off}


class Cart:

    def __init__(self):
        self._prices = dict()
        self._quantities = dict()
        self._rule = no_discount

    def add(self, name, price, quantity=1):
        if quantity <= 0 or price < 0:
            raise ValueError("a cart does not take that")
        self._prices[name] = price
        self._quantities[name] = self._quantities.get(name, 0) + quantity

    def remove(self, name):
        if name not in self._prices:
            raise KeyError(name)
        del self._prices[name], self._quantities[name]

    def count(self):
        return sum(self._quantities.values())

    def apply(self, code):
        try:
            self._rule = CODES[code]
        except KeyError:
            raise ValueError("no such code: " + code)

    def total(self):
        return self._rule(sum(p * self._quantities[n] for n, p in self._prices.items()))
