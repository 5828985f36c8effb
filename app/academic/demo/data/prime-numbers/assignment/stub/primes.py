def is_prime(n):
    """Say whether n is a prime number."""


def factors(n):
    """Give the prime factors of n in rising order."""


def gcd(a, b):
    """Give the greatest common divisor of a and b."""


def totient(n):
    """Count the numbers from 1 to n without a common divisor with n."""
