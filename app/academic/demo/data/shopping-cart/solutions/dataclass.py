from dataclasses import dataclass, field


@dataclass
class Line:
    price: int
    quantity: int

    @property
    def amount(self):
        return self.price * self.quantity


@dataclass
class Cart:
    lines: dict = field(default_factory=dict)
    discount: str = ""

    def add(self, name, price, quantity=1):
        if price < 0:
            raise ValueError(f"{name}: negative price {price}")
        if quantity < 1:
            raise ValueError(f"{name}: quantity {quantity}")
        line = self.lines.setdefault(name, Line(price, 0))
        line.price = price
        line.quantity += quantity

    def remove(self, name):
        self.lines.pop(name)

    def count(self):
        return sum(line.quantity for line in self.lines.values())

    def apply(self, code):
        if code not in {"TEN", "FIVEOFF"}:
            raise ValueError(code)
        self.discount = code

    def total(self):
        full = sum(line.amount for line in self.lines.values())
        if self.discount == "TEN":
            full -= full // 10
        elif self.discount == "FIVEOFF":
            full = max(full - 500, 0)
        return full
