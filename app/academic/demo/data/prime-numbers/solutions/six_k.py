def is_prime(n):
    # all primes above 3 are 6k - 1 or 6k + 1
    if n < 4:
        return n in (2, 3)
    if n % 2 == 0 or n % 3 == 0:
        return False
    k = 5
    while k * k <= n:
        if n % k == 0 or n % (k + 2) == 0:
            return False
        k += 6
    return True


def factors(n):
    if n <= 0:
        raise ValueError("n must be positive")
    result = []
    p = 2
    while n > 1:
        while n % p == 0:
            result.append(p)
            n = n // p
        p += 1
        if p * p > n and n > 1:
            result.append(n)
            break
    return result


def gcd(a, b):
    a, b = abs(a), abs(b)
    if b == 0:
        return a
    return gcd(b, a % b)


def totient(n):
    phi = n
    for p in set(factors(n)):
        phi = phi // p * (p - 1)
    return phi
