from operator import itemgetter

def is_reflexive(pairs, elements):
    loops = [a for a, b in pairs if a == b]
    return sorted(loops) == sorted(elements)

def is_symmetric(pairs):
    return sorted(pairs) == sorted([b, a] for a, b in pairs)

def is_transitive(pairs):
    followers = {}
    for a, b in sorted(pairs, key=itemgetter(0)):
        followers.setdefault(a, []).append(b)
    for a in followers:
        for b in followers[a]:
            for c in followers.get(b, []):
                if c not in followers[a]:
                    return False
    return True

def is_equivalence(pairs, elements):
    return is_reflexive(pairs, elements) & is_symmetric(pairs) & is_transitive(pairs)
