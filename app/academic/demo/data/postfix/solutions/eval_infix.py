def evaluate(expression):
    """Turns the text into brackets and lets Python do the sum."""
    stack = []
    for token in expression.split():
        if token in ("+", "-", "*", "/"):
            try:
                right, left = stack.pop(), stack.pop()
            except IndexError:
                raise ValueError("bad expression") from None
            stack.append(f"({left}{token.replace('/', '//')}{right})")
        else:
            stack.append(str(int(token)))
    if len(stack) != 1:
        raise ValueError("bad expression")
    return eval(stack[0])
