def evaluate(expression):
    """Give the value of an expression in postfix notation."""
