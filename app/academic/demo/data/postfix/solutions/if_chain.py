def evaluate(expression):
    stack = []
    for part in expression.split(" "):
        if part == "+":
            b = stack.pop()
            a = stack.pop()
            stack.append(a + b)
        elif part == "-":
            b = stack.pop()
            a = stack.pop()
            stack.append(a - b)
        elif part == "*":
            b = stack.pop()
            a = stack.pop()
            stack.append(a * b)
        elif part == "/":
            b = stack.pop()
            a = stack.pop()
            stack.append(a // b)
        else:
            stack.append(int(part))
    if len(stack) != 1:
        raise ValueError("not exactly one value")
    return stack.pop()
