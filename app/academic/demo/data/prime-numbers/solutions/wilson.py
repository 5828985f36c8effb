# Wilson: n is prime exactly if (n - 1)! + 1 is divisible by n.
def is_prime(n):
    if n < 2:
        return False
    product = 1
    for k in range(2, n):
        product = product * k % n
        if product == 0:
            return False
    return product == n - 1


def factors(n):
    if n < 1:
        raise ValueError("prime factors exist from 1 on")
    left, divisor, found = n, 2, []
    while left != 1:
        quotient, remainder = divmod(left, divisor)
        if remainder == 0:
            found += [divisor]
            left = quotient
        else:
            divisor += 1
    return found


def gcd(a, b):
    """Binary algorithm, with halves and differences."""
    a, b, twos = abs(a), abs(b), 0
    if a == 0 or b == 0:
        return a | b
    while (a | b) & 1 == 0:
        a, b, twos = a >> 1, b >> 1, twos + 1
    while a & 1 == 0:
        a >>= 1
    while b:
        while b & 1 == 0:
            b >>= 1
        if a > b:
            a, b = b, a
        b -= a
    return a << twos


def totient(n):
    marks = [True] * (n + 1)
    for prime in set(factors(n)):
        for multiple in range(prime, n + 1, prime):
            marks[multiple] = False
    return sum(marks[1:])
