class Cart:
    def __init__(self):
        self.content = {}
        self.factor = 1.0
        self.minus = 0

    def add(self, name, price, quantity=1):
        if price < 0 or quantity < 1:
            raise ValueError("invalid")
        if name in self.content:
            self.content[name]["quantity"] += quantity
            self.content[name]["price"] = price
        else:
            self.content[name] = {"price": price, "quantity": quantity}

    def remove(self, name):
        self.content.pop(name)

    def count(self):
        return sum(c["quantity"] for c in self.content.values())

    def apply(self, code):
        if code == "TEN":
            self.factor, self.minus = 0.9, 0
        elif code == "FIVEOFF":
            self.factor, self.minus = 1.0, 500
        else:
            raise ValueError(code)

    def total(self):
        s = sum(c["quantity"] * c["price"] for c in self.content.values())
        return max(0, int(s * self.factor) - self.minus)
