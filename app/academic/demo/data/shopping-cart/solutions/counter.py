from collections import Counter


class Cart:
    """Quantities are a Counter, prices a plain dictionary."""

    def __init__(self):
        self.quantities = Counter()
        self.prices = {}
        self.code = ""

    def add(self, name, price, quantity=1):
        assert isinstance(name, str)
        if min(price, quantity - 1) < 0:
            raise ValueError("negative price or no quantity")
        self.quantities.update({name: quantity})
        self.prices[name] = price

    def remove(self, name):
        if self.quantities.pop(name, None) is None:
            raise KeyError(name)

    def count(self):
        return self.quantities.total()

    def apply(self, code):
        if code in ("TEN", "FIVEOFF"):
            self.code = code
            return
        raise ValueError(f"{code!r} is not a code of this shop")

    def total(self):
        amount = 0
        for name, quantity in self.quantities.items():
            amount += self.prices[name] * quantity
        return {"TEN": amount - amount // 10, "FIVEOFF": max(amount - 500, 0)}.get(self.code, amount)
