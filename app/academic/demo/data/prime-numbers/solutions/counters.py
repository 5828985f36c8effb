"""Factorise once, derive the rest."""
from collections import Counter
from functools import lru_cache


@lru_cache(maxsize=None)
def factorise(n):
    powers = Counter()
    d = 2
    while n > 1:
        if d * d > n:
            powers[n] += 1
            break
        while not n % d:
            powers[d] += 1
            n //= d
        d = d + 1 if d == 2 else d + 2
    return powers


def is_prime(n):
    return n >= 2 and factorise(n).total() == 1


def factors(n):
    if not n >= 1:
        raise ValueError(f"{n} is below 1")
    return sorted(factorise(n).elements())


def gcd(a, b):
    match sorted((abs(a), abs(b))):
        case [0, other]:
            return other
        case [small, large]:
            return gcd(large % small, small)


def totient(n):
    phi = 1
    for prime, power in factorise(n).items():
        phi *= (prime - 1) * prime ** (power - 1)
    return phi
