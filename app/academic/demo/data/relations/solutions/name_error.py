def reflexive(pairs, elements):
    return all([e, e] in pairs for e in elements)


def symmetric(pairs):
    return all([y, x] in pairs for x, y in pairs)


def transitive(pairs):
    return all([w, z] in pairs for w, x in pairs for y, z in pairs if x == y)


def equivalence(pairs, elements):
    return reflexive(pairs, elements) and symmetric(pairs) and transitive(pairs)


print("reflexive:", reflexive([[1, 1]], [1]))
print("closure:", transitive_closure([[1, 2], [2, 3]]))
