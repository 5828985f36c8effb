def is_reflexive(pairs, elements):
    for x in elements:
        if [x, x] not in pairs:
            return False
    return True


def is_symmetric(pairs):
    for p in pairs:
        if [p[1], p[0]] not in pairs:
            return False
    return True


def is_transitive(pairs):
    for p in pairs:
        for q in pairs:
            if p[1] == q[0]:
                if [p[0], q[1]] not in pairs:
                    return False
    return True


def is_equivalence(pairs, elements):
    if not is_reflexive(pairs, elements):
        return False
    if not is_symmetric(pairs):
        return False
    return is_transitive(pairs)


def transitive_closure(pairs):
    result = []
    for p in pairs:
        if p not in result:
            result.append(p)
    changed = True
    while changed:
        changed = False
        for p in list(result):
            for q in list(result):
                if p[1] == q[0] and [p[0], q[1]] not in result:
                    result.append([p[0], q[1]])
                    changed = True
    result.sort()
    return result


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("this is not an equivalence relation")
    done = []
    result = []
    for x in elements:
        if x in done:
            continue
        group = []
        for y in elements:
            if [x, y] in pairs:
                group.append(y)
                done.append(y)
        group.sort()
        result.append(group)
    return result
