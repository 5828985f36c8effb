"""A shopping cart in whole cents."""


class Cart:
    """Articles by name, each with its price and quantity."""

    def __init__(self):
        self.lines = {}
        self.code = None

    def add(self, name, price, quantity=1):
        if price < 0 or quantity < 1:
            raise ValueError("price must not be negative, quantity at least one")
        _, before = self.lines.get(name, (0, 0))
        self.lines[name] = (price, before + quantity)

    def remove(self, name):
        del self.lines[name]

    def count(self):
        return sum(quantity for _, quantity in self.lines.values())

    def apply(self, code):
        if code not in ("TEN", "FIVEOFF"):
            raise ValueError(f"unknown code {code}")
        self.code = code

    def total(self):
        amount = sum(price * quantity for price, quantity in self.lines.values())
        if self.code == "TEN":
            return amount - amount // 10
        if self.code == "FIVEOFF":
            return max(0, amount - 500)
        return amount
