class Cart:
    def __init__(self):
        self.cart = {}

    def add(self, name, price, quantity=1):
        if price < 0 or quantity < 1:
            raise ValueError("wrong value")
        if name in self.cart:
            self.cart[name] = (price, self.cart[name][1] + quantity)
        else:
            self.cart[name] = (price, quantity)

    def remove(self, name):
        del self.cart[name]

    def count(self):
        total = 0
        for name in self.cart:
            total += self.cart[nmae][1]
        return total

    def total(self):
        total = 0
        for name in self.cart:
            total += self.cart[name][0] * self.cart[name][1]
        return total

    def apply(self, code):
        if code != "TEN" and code != "FIVEOFF":
            raise ValueError("wrong code")
