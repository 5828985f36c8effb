from collections import namedtuple

Cell = namedtuple("Cell", "value below")
ARITHMETIC = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
}


def evaluate(expression):
    top = None
    for token in expression.split():
        function = ARITHMETIC.get(token)
        if function is None:
            top = Cell(int(token), top)
        elif top is None or top.below is None:
            raise ValueError(f"{token} wants two values")
        else:
            (right, (left, below)) = top
            top = Cell(function(left, right), below)
    if top is None or top.below is not None:
        raise ValueError(f"{expression!r} has not exactly one value")
    return top.value
