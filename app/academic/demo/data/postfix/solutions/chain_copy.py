def evaluate(expr):
    values = []
    parts = expr.split()
    if parts == []:
        raise ValueError("empty expression")
    for p in parts:
        if p in ["+", "-", "*", "/"]:
            if len(values) < 2:
                raise ValueError("not enough values for " + p)
            y = values.pop()
            x = values.pop()
            if p == "+":
                values.append(x + y)
            if p == "-":
                values.append(x - y)
            if p == "*":
                values.append(x * y)
            if p == "/":
                values.append(x // y)
        else:
            values.append(int(p))
    if len(values) > 1:
        raise ValueError("too many values")
    return values[0]
