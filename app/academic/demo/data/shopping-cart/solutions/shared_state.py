class Cart:
    things = {}
    code = None

    def add(self, name, price, quantity=1):
        if price < 0 or quantity < 1:
            raise ValueError
        if name in self.things:
            quantity = quantity + self.things[name][1]
        self.things[name] = [price, quantity]

    def remove(self, name):
        self.things.pop(name)

    def count(self):
        return len(self.things)

    def total(self):
        sum = 0
        for price, quantity in self.things.values():
            sum += price * quantity
        if self.code == "TEN":
            return sum * 90 // 100
        if self.code == "FIVEOFF":
            return sum - 500
        return sum

    def apply(self, code):
        self.code = code
