class Stack:
    def __init__(self):
        self._items = []

    def push(self, item):
        self._items.append(item)

    def pop(self):
        if not self._items:
            raise ValueError("the stack ran empty")
        return self._items.pop()

    def __len__(self):
        return len(self._items)


def evaluate(expression):
    stack = Stack()
    for word in expression.split():
        match word:
            case "+":
                stack.push(stack.pop() + stack.pop())
            case "*":
                stack.push(stack.pop() * stack.pop())
            case "-":
                subtrahend = stack.pop()
                stack.push(stack.pop() - subtrahend)
            case "/":
                divisor = stack.pop()
                stack.push(stack.pop() // divisor)
            case number:
                stack.push(int(number))
    result = stack.pop()
    if len(stack):
        raise ValueError("more than one value is left")
    return result
