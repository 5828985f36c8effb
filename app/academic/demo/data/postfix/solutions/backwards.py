# Reads from the right: an operator first wants its right operand, then its left one.


def parse(tokens):
    if not tokens:
        raise ValueError("an operand is missing")
    token = tokens.pop()
    if token not in "+-*/":
        return int(token)
    right = parse(tokens)
    left = parse(tokens)
    if token == "+":
        return left + right
    if token == "-":
        return left - right
    if token == "*":
        return left * right
    return left // right


def evaluate(expression):
    tokens = expression.split()
    value = parse(tokens)
    if tokens:
        raise ValueError("too many operands: " + " ".join(tokens))
    return value
