def is_reflexive(pairs, elements):
    for x in elements:
        if [x, x] in pairs:
            print("yes", x)
        else:
            print("no", x)
            return False
    return True


def is_symmetric(pairs):
    mirror = [pair[::-1] for pair in pairs]
    print("mirror:", mirror)
    return all(pair in pairs for pair in mirror)


def is_transitive(pairs):
    print("testing", len(pairs), "pairs")
    for x, y in pairs:
        for z in [p[1] for p in pairs if p[0] == y]:
            if not [x, z] in pairs:
                print("missing:", x, z)
                return False
    return True


def is_equivalence(pairs, elements):
    if is_reflexive(pairs, elements):
        if is_symmetric(pairs):
            if is_transitive(pairs):
                return True
    return False


def transitive_closure(pairs):
    answer = pairs[:]
    while not is_transitive(answer):
        for x, y in answer[:]:
            for z in [p[1] for p in answer if p[0] == y]:
                if [x, z] not in answer:
                    answer.append([x, z])
    print("closure:", answer)
    return sorted(answer)


def classes(pairs, elements):
    if not is_equivalence(pairs, elements):
        raise ValueError("print says why")
    answer = []
    for x in elements:
        klass = [y for y in elements if [x, y] in pairs]
        if klass not in answer:
            answer.append(klass)
    return answer
