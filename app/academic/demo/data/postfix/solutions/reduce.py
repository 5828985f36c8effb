from functools import reduce


def step(stack, token):
    if token.lstrip("-").isdigit():
        return [*stack, int(token)]
    *rest, a, b = stack
    return [*rest, {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__floordiv__}[token](b)]


def evaluate(expression):
    try:
        [value] = reduce(step, expression.split(), [])
    except KeyError as error:
        raise ValueError(f"unknown sign {error}")
    return value
