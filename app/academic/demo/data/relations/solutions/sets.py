def as_set(pairs):
    return {tuple(pair) for pair in pairs}


def compose(relation):
    return {(a, d) for (a, b) in relation for (c, d) in relation if b == c}


def is_reflexive(pairs, elements):
    return {(e, e) for e in elements} <= as_set(pairs)


def is_symmetric(pairs):
    relation = as_set(pairs)
    return relation == {(b, a) for (a, b) in relation}


def is_transitive(pairs):
    relation = as_set(pairs)
    return compose(relation) <= relation


def is_equivalence(pairs, elements):
    return all((is_reflexive(pairs, elements), is_symmetric(pairs), is_transitive(pairs)))


def transitive_closure(pairs):
    relation = as_set(pairs)
    while not compose(relation) <= relation:
        relation |= compose(relation)
    return sorted(map(list, relation))


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("classes need an equivalence relation")
    relation = as_set(pairs)
    result = []
    for e in elements:
        cls = sorted(x for x in elements if (e, x) in relation)
        if cls not in result:
            result.append(cls)
    return result
