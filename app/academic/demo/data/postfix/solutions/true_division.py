import math

SIGNS = "+-*/"


def is_number(token):
    try:
        int(token)
    except ValueError:
        return False
    return True


def calculate(sign, left, right):
    if sign == "+":
        return math.fsum((left, right))
    if sign == "-":
        return left - right
    if sign == "*":
        return math.prod((left, right))
    return left / right


def evaluate(expression):
    todo = expression.split()
    waiting = []
    while todo:
        token = todo.pop(0)
        if is_number(token):
            waiting.append(int(token))
        elif token in SIGNS and len(waiting) >= 2:
            right = waiting.pop()
            waiting[-1] = calculate(token, waiting[-1], right)
        else:
            raise ValueError(token)
    if len(waiting) != 1:
        raise ValueError(expression)
    return waiting[0]
