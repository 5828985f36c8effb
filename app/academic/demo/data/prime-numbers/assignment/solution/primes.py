def is_prime(n):
    """Say whether n is a prime number."""
    return n > 1 and factors(n) == [n]


def factors(n):
    """Give the prime factors of n in rising order."""
    if n < 1:
        raise ValueError("only positive numbers have prime factors")
    found, divisor = [], 2
    while divisor * divisor <= n:
        if n % divisor:
            divisor += 1
        else:
            found.append(divisor)
            n //= divisor
    return found + [n] if n > 1 else found


def gcd(a, b):
    """Give the greatest common divisor of a and b."""
    while b:
        a, b = b, a % b
    return abs(a)


def totient(n):
    """Count the numbers from 1 to n without a common divisor with n."""
    return sum(1 for k in range(1, n + 1) if gcd(n, k) == 1)
