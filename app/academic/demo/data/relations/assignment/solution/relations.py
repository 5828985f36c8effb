def is_reflexive(pairs, elements):
    return all([a, a] in pairs for a in elements)


def is_symmetric(pairs):
    return all([b, a] in pairs for a, b in pairs)


def is_transitive(pairs):
    return all([a, d] in pairs for a, b in pairs for c, d in pairs if b == c)


def is_equivalence(pairs, elements):
    return is_reflexive(pairs, elements) and is_symmetric(pairs) and is_transitive(pairs)


def transitive_closure(pairs):
    closed = {(a, b) for a, b in pairs}
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return sorted([a, b] for a, b in closed)


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("not an equivalence")
    found = []
    for a in elements:
        if not any(a in known for known in found):
            found.append(sorted(b for b in elements if [a, b] in pairs))
    return found
