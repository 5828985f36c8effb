def is_reflexive(pairs, elements):
    """Every element is related to itself."""


def is_symmetric(pairs):
    """With [a, b] there is [b, a]."""


def is_transitive(pairs):
    """With [a, b] and [b, c] there is [a, c]."""


def is_equivalence(pairs, elements):
    """Reflexive, symmetric and transitive."""


def transitive_closure(pairs):
    """The smallest transitive relation that holds all pairs, sorted."""


def classes(pairs, elements):
    """The equivalence classes, each sorted, in the order of their first elements."""
