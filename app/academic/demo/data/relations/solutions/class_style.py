class Relation:
    def __init__(self, pairs):
        self.pairs = [tuple(p) for p in pairs]

    def has(self, a, b):
        return (a, b) in self.pairs

    def reflexive(self, elements):
        return all(self.has(e, e) for e in elements)

    def symmetric(self):
        return all(self.has(b, a) for a, b in self.pairs)

    def missing(self):
        for a, b in self.pairs:
            for c, d in self.pairs:
                if b == c and not self.has(a, d):
                    return a, d
        return None

    def close(self):
        while (pair := self.missing()) is not None:
            self.pairs.append(pair)
        return self

    def sorted(self):
        return sorted([a, b] for a, b in set(self.pairs))


def is_reflexive(pairs, elements):
    return Relation(pairs).reflexive(elements)


def is_symmetric(pairs):
    return Relation(pairs).symmetric()


def is_transitive(pairs):
    return Relation(pairs).missing() is None


def is_equivalence(pairs, elements):
    r = Relation(pairs)
    return r.reflexive(elements) and r.symmetric() and r.missing() is None


def transitive_closure(pairs):
    return Relation(pairs).close().sorted()


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("equivalence expected")
    r = Relation(pairs)
    left = list(elements)
    out = []
    while left:
        group = [e for e in left if r.has(left[0], e)]
        out.append(sorted(group))
        left = [e for e in left if e not in group]
    return out
