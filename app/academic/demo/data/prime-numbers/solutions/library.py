import math
from fractions import Fraction


def is_prime(n):
    return n >= 2 and not any(n % k == 0 for k in range(2, math.isqrt(n) + 1))


def primes_up_to(n):
    return (k for k in range(2, n + 1) if is_prime(k))


def factors(n):
    if n < 1:
        raise ValueError("factors() wants a positive number")
    if is_prime(n):
        return [n]
    for p in primes_up_to(math.isqrt(n)):
        if n % p == 0:
            return [p, *factors(n // p)]
    return []


def gcd(a, b):
    return math.gcd(a, b)


def totient(n):
    share = Fraction(n)
    for p in primes_up_to(n):
        if n % p == 0:
            share *= 1 - Fraction(1, p)
    return int(share)
