"""Number theory of the first weeks."""

import math

import pytest

from primes import factors, gcd, is_prime, totient


def test_small_primes():
    """The primes below thirty are found and nothing else."""
    assert [n for n in range(30) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]


def test_no_primes_below_two():
    """One, zero and negative numbers are not prime."""
    assert not any(is_prime(n) for n in (1, 0, -7))


def test_larger_numbers():
    """Squares of primes and large primes are told apart."""
    assert not is_prime(7921)
    assert is_prime(104729)


@pytest.mark.parametrize(("n", "expected"), [(1, []), (12, [2, 2, 3]), (97, [97]), (8633, [89, 97])])
def test_factors(n, expected):
    """Every factor comes as often as it divides."""
    assert factors(n) == expected


def test_factors_multiply_back():
    """The product of the factors is the number."""
    assert all(math.prod(factors(n)) == n for n in (60, 1024, 9999))


def test_factors_of_nothing():
    """Zero has no factorisation."""
    with pytest.raises(ValueError):
        factors(0)


def test_gcd():
    """The divisor is the greatest one and never negative."""
    assert gcd(54, 24) == 6
    assert gcd(17, 5) == 1
    assert gcd(-12, 18) == 6


def test_gcd_with_zero():
    """Everything divides zero."""
    assert gcd(0, 9) == 9
    assert gcd(0, 0) == 0


def test_totient():
    """The totient of a prime is one less, that of one is one."""
    assert [totient(n) for n in (1, 7, 12, 36)] == [1, 6, 4, 12]
