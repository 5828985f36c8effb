def is_reflexive(relation, base):
    for element in base:
        if [element, element] not in relation:
            return False
    return True


def is_symmetric(relation):
    for first in relation:
        if [first[1], first[0]] not in relation:
            return False
    return True


def is_transitive(relation):
    for first in relation:
        for second in relation:
            if first[1] == second[0]:
                if [first[0], second[1]] not in relation:
                    return False
    return True


def is_equivalence(relation, base):
    if not is_reflexive(relation, base):
        return False
    if not is_symmetric(relation):
        return False
    return is_transitive(relation)


def classes(relation, base):
    if not is_equivalence(relation, base):
        raise ValueError("no equivalence")
    seen = []
    answer = []
    for a in base:
        if a in seen:
            continue
        members = []
        for b in base:
            if [a, b] in relation:
                members.append(b)
                seen.append(b)
        members.sort()
        answer.append(members)
    return answer


def transitive_closure(relation):
    answer = []
    for first in relation:
        if first not in answer:
            answer.append(first)
    again = True
    while again:
        again = False
        for first in list(answer):
            for second in list(answer):
                if first[1] == second[0] and [first[0], second[1]] not in answer:
                    answer.append([first[0], second[1]])
                    again = True
    answer.sort()
    return answer
