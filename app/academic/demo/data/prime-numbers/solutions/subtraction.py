def is_prime(n):
    if n < 2:
        return False
    for divisor in range(2, n):
        if divisor * divisor > n:
            return True
        if n % divisor == 0:
            return False
    return True


def factors(n):
    if n < 1:
        raise ValueError("factors of a number below 1")
    list_of_factors = []
    for candidate in range(2, n + 1):
        if is_prime(candidate):
            while n % candidate == 0:
                list_of_factors.append(candidate)
                n = n // candidate
        if n == 1:
            break
    return list_of_factors


def gcd(a, b):
    # Euclid's own way: subtract the smaller from the larger
    if a < 0:
        a = -a
    if b < 0:
        b = -b
    if a == 0:
        return b
    if b == 0:
        return a
    while a != b:
        if a > b:
            a = a - b
        else:
            b = b - a
    return a


def totient(n):
    count = 0
    for number in range(1, n + 1):
        if gcd(number, n) == 1:
            count = count + 1
    return count
