LIMIT = 110_000
smallest = list(range(LIMIT))
for i in range(2, int(LIMIT ** 0.5) + 1):
    if smallest[i] == i:
        for j in range(i * i, LIMIT, i):
            if smallest[j] == j:
                smallest[j] = i


def is_prime(n):
    return 2 <= n < LIMIT and smallest[n] == n


def factors(n):
    if n < 1:
        raise ValueError("there are no factors of %d" % n)
    answer = []
    while n != 1:
        answer.append(smallest[n])
        n //= smallest[n]
    return answer


def gcd(a, b):
    a = abs(a)
    b = abs(b)
    while a and b:
        if a > b:
            a = a % b
        else:
            b = b % a
    return a + b


def totient(n):
    product, seen = 1, []
    for p in factors(n):
        product *= p if p in seen else p - 1
        seen.append(p)
    return product
