def evaluate(expression):
    """Goes through the characters, so only digits 0-9 work."""
    stack = []
    for c in expression:
        if c == " ":
            continue
        if c.isdigit():
            stack.append(int(c))
        elif len(stack) < 2:
            raise ValueError("stack")
        else:
            b, a = stack.pop(), stack.pop()
            if c == "+":
                r = a + b
            elif c == "-":
                r = a - b
            elif c == "*":
                r = a * b
            elif c == "/":
                r = a // b
            else:
                raise ValueError(c)
            stack.append(r)
    if len(stack) != 1:
        raise ValueError("rest")
    return stack[0]
