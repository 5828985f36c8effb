def is_reflexive(pairs, elements):
    r = set(map(tuple, pairs))
    return sum((e, e) in r for e in elements) == len(elements)


def is_symmetric(pairs):
    r = set(map(tuple, pairs))
    return not any((b, a) not in r for a, b in r)


def is_transitive(pairs):
    return set(transitive_closure(pairs)) == set(map(tuple, pairs))


def is_equivalence(pairs, elements):
    return is_transitive(pairs) and is_symmetric(pairs) and is_reflexive(pairs, elements)


def transitive_closure(pairs):
    r = set(map(tuple, pairs))
    size = -1
    while size != len(r):
        size = len(r)
        r.update([(a, d) for a, b in r for c, d in r if b == c])
    return sorted(r)


def classes(pairs, elements):
    if is_equivalence(pairs, elements):
        return list(dict.fromkeys(tuple(sorted(b for a, b in pairs if a == e)) for e in elements))
    raise ValueError("the relation is not an equivalence")
