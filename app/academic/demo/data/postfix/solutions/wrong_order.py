def evaluate(expression):
    s = []
    for t in expression.split():
        if t == '+':
            s.append(s.pop() + s.pop())
        elif t == '-':
            s.append(s.pop() - s.pop())
        elif t == '*':
            s.append(s.pop() * s.pop())
        elif t == '/':
            s.append(s.pop() // s.pop())
        else:
            s.append(int(t))
    return s[-1]
