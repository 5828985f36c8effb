import operator

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv}


def evaluate(expression):
    """Give the value of an expression in postfix notation."""
    stack = []
    for sign in expression.split():
        if sign not in OPERATORS:
            stack.append(int(sign))
            continue
        if len(stack) < 2:
            raise ValueError(f"too few operands for {sign}")
        right, left = stack.pop(), stack.pop()
        stack.append(OPERATORS[sign](left, right))
    if len(stack) != 1:
        raise ValueError("an expression has exactly one value")
    return stack[0]
