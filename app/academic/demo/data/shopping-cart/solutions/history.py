class Cart:
    """Keeps what was done and works out the state when asked."""

    def __init__(self):
        self.history = []

    def _state(self):
        state = {}
        for verb, name, price, quantity in self.history:
            if verb == "remove":
                state.pop(name)
            else:
                before = state[name][1] if name in state else 0
                state[name] = (price, before + quantity)
        return state

    def add(self, name, price, quantity=1):
        if price < 0:
            raise ValueError("price")
        elif quantity < 1:
            raise ValueError("quantity")
        self.history.append(("add", name, price, quantity))

    def remove(self, name):
        if name not in self._state():
            raise KeyError(name)
        self.history.append(("remove", name, 0, 0))

    def count(self):
        return sum(quantity for price, quantity in self._state().values())

    def apply(self, code):
        discounts = {"TEN": lambda cents: cents - cents // 10,
                     "FIVEOFF": lambda cents: cents - min(cents, 500)}
        if code not in discounts:
            raise ValueError(code)
        self.discount = discounts[code]

    def total(self):
        cents = sum(price * quantity for price, quantity in self._state().values())
        return self.discount(cents) if hasattr(self, "discount") else cents
