def is_prime(n):
    """Say whether n is a prime number."""
    if n <= 1:
        return False
    i = 2
    while i * i <= n:
        if n % i == 0:
            return False
        i += 1
    return True


def factors(n):
    """Give the prime factors of n in rising order."""
    # TODO: each factor only once so far
    if n < 1:
        raise ValueError("no factors")
    return [p for p in range(2, n + 1) if n % p == 0 and is_prime(p)]


def gcd(a, b):
    """Give the greatest common divisor of a and b."""
    # TODO


def totient(n):
    """Count the numbers from 1 to n without a common divisor with n."""
    # TODO
