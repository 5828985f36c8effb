def is_prime(n):
    number_of_divisors = 0
    for x in range(1, n + 1):
        if n % x == 0:
            number_of_divisors += 1
    return number_of_divisors <= 2


def factors(n):
    if n < 1:
        raise ValueError("not possible")
    out = []
    while n > 1:
        for x in range(2, n + 1):
            if n % x == 0:
                out.append(x)
                n = n // x
                break
    return out


def gcd(a, b):
    best = 0
    for x in range(1, max(a, b) + 1):
        if a % x == 0 and b % x == 0:
            best = x
    return best


def totient(n):
    return sum(1 for x in range(1, n) if gcd(x, n) == 1)
