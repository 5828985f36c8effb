def apply(symbol, a, b):
    table = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: a // b,
    }
    return table[symbol]()


def evaluate(expression):
    queue = expression.split()
    position = 0
    # replace "a b op" by its value until one thing is left
    while len(queue) != 1:
        a, b, symbol = (queue + ["", "", ""])[position:position + 3]
        if symbol in ("+", "-", "*", "/"):
            queue[position:position + 3] = [str(apply(symbol, int(a), int(b)))]
            position = 0
        else:
            position = (position + 1) % max(1, len(queue))
    return int(queue[0])
