def evaluate(expression):
    stack = []
    for token in expression.split():
        if token.isdigit():
            stack.append(int(token))
       else:
            b = stack.pop()
            a = stack.pop()
            if token == "+":
                stack.append(a + b)
            else:
                stack.append(a * b)
    return stack[0]
