"""Relations as matrices of truth values, closed by Warshall's algorithm."""


def universe(pairs):
    return sorted({x for pair in pairs for x in pair})


def matrix(pairs, names):
    place = {name: i for i, name in enumerate(names)}
    m = [[False] * len(names) for _ in names]
    for a, b in pairs:
        m[place[a]][place[b]] = True
    return m


def is_reflexive(pairs, elements):
    names = sorted(set(universe(pairs)) | set(elements))
    m = matrix(pairs, names)
    return all(m[names.index(e)][names.index(e)] for e in elements)


def is_symmetric(pairs):
    m = matrix(pairs, universe(pairs))
    return m == [list(row) for row in zip(*m)]


def is_transitive(pairs):
    return transitive_closure(pairs) == sorted([list(p) for p in {(a, b) for a, b in pairs}])


def is_equivalence(pairs, elements):
    return is_reflexive(pairs, elements) and is_symmetric(pairs) and is_transitive(pairs)


def transitive_closure(pairs):
    names = universe(pairs)
    m = matrix(pairs, names)
    n = range(len(names))
    for k in n:
        for i in n:
            if m[i][k]:
                m[i] = [here or through for here, through in zip(m[i], m[k])]
    return [[names[i], names[j]] for i in n for j in n if m[i][j]]


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("the matrix is not that of an equivalence")
    rows = dict(zip(universe(pairs), matrix(pairs, universe(pairs))))
    groups = {}
    for e in elements:
        groups.setdefault(tuple(rows[e]), []).append(e)
    return [sorted(group) for group in groups.values()]
