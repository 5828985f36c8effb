from itertools import product


def related(pairs):
    table = {}
    for a, b in pairs:
        table.setdefault(a, set()).add(b)
    return table


def is_reflexive(pairs, elements):
    table = related(pairs)
    return not [e for e in elements if e not in table.get(e, ())]


def is_symmetric(pairs):
    table = related(pairs)
    return all(a in table.get(b, ()) for a, b in pairs)


def is_transitive(pairs):
    table = related(pairs)
    return all(table.get(b, set()) <= table[a] for a, b in pairs)


def is_equivalence(pairs, elements):
    checks = (is_reflexive(pairs, elements), is_symmetric(pairs), is_transitive(pairs))
    return checks == (True, True, True)


def reachable(table, start):
    seen, todo = set(), list(table.get(start, ()))
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo.extend(table.get(here, ()))
    return seen


def transitive_closure(pairs):
    table = related(pairs)
    return sorted([a, b] for a in table for b in reachable(table, a))


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("no classes")
    leader = {e: e for e in elements}
    for a, b in product(elements, repeat=2):
        if b in related(pairs)[a]:
            old, new = leader[b], leader[a]
            leader = {e: new if of == old else of for e, of in leader.items()}
    return [sorted(e for e in elements if leader[e] == of) for of in dict.fromkeys(leader.values())]
