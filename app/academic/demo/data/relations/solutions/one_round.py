def is_reflexive(pairs, elements):
    ok = True
    for x in elements:
        ok = ok and [x, x] in pairs
    return ok


def is_symmetric(pairs):
    for a, b in pairs:
        if [b, a] in pairs:
            continue
        return False
    return True


def is_transitive(pairs):
    for a, b in pairs:
        for c, d in pairs:
            if b == c and [a, d] not in pairs:
                return False
    return True


def is_equivalence(pairs, elements):
    return is_reflexive(pairs, elements) and is_symmetric(pairs) and is_transitive(pairs)


def transitive_closure(pairs):
    # add every pair that is two steps away
    new = list(pairs)
    for a, b in pairs:
        for c, d in pairs:
            if b == c and [a, d] not in new:
                new.append([a, d])
    return sorted(new)


def classes(pairs, elements):
    if is_equivalence(pairs, elements) == False:
        raise ValueError("not possible")
    result = []
    for x in elements:
        c = []
        for a, b in pairs:
            if a == x:
                c.append(b)
        c = sorted(c)
        if c not in result:
            result.append(c)
    return result
