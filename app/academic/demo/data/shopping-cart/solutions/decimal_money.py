from decimal import ROUND_CEILING, Decimal


class Article:
    def __init__(self, name):
        self.name = name
        self.price = Decimal(0)
        self.quantity = 0

    def update(self, price, quantity):
        if Decimal(price).is_signed() or quantity <= 0:
            raise ValueError("%s x %s" % (quantity, price))
        self.price = Decimal(price)
        self.quantity += quantity

    def cost(self):
        return self.price * self.quantity


class Cart:
    REDUCTIONS = {"TEN": (Decimal("0.9"), Decimal(0)), "FIVEOFF": (Decimal(1), Decimal(500))}

    def __init__(self):
        self._articles = []
        self._reduction = (Decimal(1), Decimal(0))

    def __getitem__(self, name):
        for article in self._articles:
            if article.name == name:
                return article
        raise KeyError(name)

    def add(self, name, price, quantity=1):
        try:
            article = self[name]
        except KeyError:
            article = Article(name)
            article.update(price, quantity)
            self._articles.append(article)
        else:
            article.update(price, quantity)

    def remove(self, name):
        self._articles.remove(self[name])

    def count(self):
        return sum(a.quantity for a in self._articles)

    def apply(self, code):
        if code not in self.REDUCTIONS:
            raise ValueError(code)
        self._reduction = self.REDUCTIONS[code]

    def total(self):
        share, minus = self._reduction
        cents = sum((a.cost() for a in self._articles), Decimal(0)) * share - minus
        return int(max(cents, Decimal(0)).to_integral_value(ROUND_CEILING))
