def totient(x):
    c = 0
    for i in range(1, x + 1):
        if gcd(i, x) == 1:
            c = c + 1
    return c


def gcd(x, y):
    if x < 0:
        x = -x
    if y < 0:
        y = -y
    if x == 0:
        return y
    if y == 0:
        return x
    # take the small one away from the big one
    while x != y:
        if x > y:
            x = x - y
        else:
            y = y - x
    return x


def is_prime(x):
    if x < 2:
        return False
    for d in range(2, x):
        if d * d > x:
            return True
        if x % d == 0:
            return False
    return True


def factors(x):
    if x < 1:
        raise ValueError("must be at least 1")
    found = []
    for p in range(2, x + 1):
        if is_prime(p):
            while x % p == 0:
                found.append(p)
                x = x // p
        if x == 1:
            break
    return found
