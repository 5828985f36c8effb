import math


def is_prime(n):
    if n < 2:
        return False
    for i in range(2, int(math.sqrt(n))):
        if n % i == 0:
            return False
    return True


def factors(n):
    if n < 1:
        raise ValueError("n < 1")
    result = []
    i = 2
    while i <= n:
        if n % i == 0:
            result.append(i)
            n = n / i
        else:
            i += 1
    return result


def gcd(a, b):
    for i in range(min(abs(a), abs(b)), 0, -1):
        if a % i == 0 and b % i == 0:
            return i
    return 0


def totient(n):
    return sum(gcd(i, n) == 1 for i in range(1, n + 1))
