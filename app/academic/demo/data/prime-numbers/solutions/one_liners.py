from math import isqrt


def is_prime(n): return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))


def first(n): return next((d for d in range(2, isqrt(n) + 1) if n % d == 0), n)


def factors(n):
    if n < 1: raise ValueError(n)
    return [] if n == 1 else [first(n)] + factors(n // first(n))


def gcd(a, b): return gcd(b, a % b) if b else max(a, -a)


def totient(n): return len([k for k in range(n) if gcd(k, n) == 1])
