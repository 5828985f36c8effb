class Cart:
    # every item is [name, price, quantity]
    def __init__(self):
        self.items = []
        self.percent = 0
        self.off = 0

    def find(self, name):
        for i in range(len(self.items)):
            if self.items[i][0] == name:
                return i
        return -1

    def add(self, name, price, quantity=1):
        if price < 0:
            raise ValueError("price below 0")
        if quantity < 1:
            raise ValueError("quantity below 1")
        i = self.find(name)
        if i == -1:
            self.items.append([name, price, quantity])
        else:
            self.items[i][1] = price
            self.items[i][2] = self.items[i][2] + quantity

    def remove(self, name):
        i = self.find(name)
        if i == -1:
            raise KeyError("not in cart")
        self.items.pop(i)

    def count(self):
        n = 0
        for item in self.items:
            n = n + item[2]
        return n

    def apply(self, code):
        if code == "TEN":
            self.percent = 10
            self.off = 0
        elif code == "FIVEOFF":
            self.percent = 0
            self.off = 500
        else:
            raise ValueError("bad code")

    def total(self):
        t = 0
        for item in self.items:
            t = t + item[1] * item[2]
        t = t - t * self.percent // 100 - self.off
        if t < 0:
            t = 0
        return t
