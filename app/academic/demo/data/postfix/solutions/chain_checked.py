def evaluate(expression):
    numbers = []
    tokens = expression.split()
    if tokens == []:
        raise ValueError("there is nothing to evaluate")
    for token in tokens:
        if token in ["+", "-", "*", "/"]:
            if len(numbers) < 2:
                raise ValueError("operator " + token + " needs two numbers")
            second = numbers.pop()
            first = numbers.pop()
            if token == "+":
                numbers.append(first + second)
            if token == "-":
                numbers.append(first - second)
            if token == "*":
                numbers.append(first * second)
            if token == "/":
                numbers.append(first // second)
        else:
            numbers.append(int(token))
    if len(numbers) > 1:
        raise ValueError("numbers left over")
    return numbers[0]
