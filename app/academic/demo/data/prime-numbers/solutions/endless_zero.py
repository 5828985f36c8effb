def is_prime(n):
    if n == 2:
        return True
    if n < 2 or n % 2 == 0:
        return False
    return not [x for x in range(3, int(n ** 0.5) + 1, 2) if n % x == 0]


def factors(n):
    twos = []
    while n % 2 == 0:
        twos.append(2)
        n //= 2
    odd, x = [], 3
    while n > 1:
        if n % x == 0:
            odd.append(x)
            n //= x
        else:
            x += 2
    return twos + odd


def gcd(a, b):
    small, large = sorted([abs(a), abs(b)])
    while small:
        small, large = large % small, small
    return large


def totient(n):
    return [gcd(x, n) for x in range(1, n + 1)].count(1)
