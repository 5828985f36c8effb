class Cart:
    def __init__(self):
        self.products = []
        self.rate = 0
        self.minus = 0

    # looks for the position of a product
    def index_of(self, product):
        for k in range(len(self.products)):
            if self.products[k][0] == product:
                return k
        return -1

    def add(self, product, cents, amount=1):
        if cents < 0:
            raise ValueError("negative")
        if amount < 1:
            raise ValueError("too few")
        k = self.index_of(product)
        if k == -1:
            self.products.append([product, cents, amount])
        else:
            self.products[k][1] = cents
            self.products[k][2] = self.products[k][2] + amount

    def remove(self, product):
        k = self.index_of(product)
        if k == -1:
            raise KeyError("there is no such product")
        self.products.pop(k)

    def count(self):
        how_many = 0
        for p in self.products:
            how_many = how_many + p[2]
        return how_many

    def apply(self, voucher):
        if voucher == "TEN":
            self.rate = 10
            self.minus = 0
        elif voucher == "FIVEOFF":
            self.rate = 0
            self.minus = 500
        else:
            raise ValueError("voucher")

    def total(self):
        result = 0
        for p in self.products:
            result = result + p[1] * p[2]
        result = result - result * self.rate // 100 - self.minus
        if result < 0:
            result = 0
        return result
