"""Values cross as typed JSON, and nothing but values."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import json
import math
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.academic.grading.wire import MAX_DEPTH, WireError, decode, encode


def refuse_value(value: object, _depth: int) -> NoReturn:
    """Stand in for a side that knows plain values only."""
    raise WireError(type(value).__name__)


def refuse_tag(tag: str, _content: object) -> NoReturn:
    """Stand in for a side that knows plain values only."""
    raise WireError(tag)


def crossed(value: object) -> Any:
    """Send a value through real JSON and back."""
    return decode(json.loads(json.dumps(encode(value, refuse_value))), refuse_tag)


simple = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False),
    some.text(),
    some.binary(),
    some.complex_numbers(allow_nan=False, allow_infinity=False),
    some.dates(),
    some.timedeltas(),
    some.fractions(),
    some.decimals(allow_nan=False, allow_infinity=False),
)
hashable = some.one_of(some.integers(), some.text(), some.tuples(some.integers(), some.text()))
values = some.recursive(
    simple,
    lambda inner: some.one_of(
        some.lists(inner), some.tuples(inner, inner), some.sets(hashable), some.dictionaries(hashable, inner)
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_arrives_as_itself(value: object) -> None:
    """Type and content are the same on the other side."""
    found = crossed(value)

    assert (type(value), value) == (type(found), found)


def test_special_floats_arrive() -> None:
    """Infinity, minus zero and NaN are values too."""
    assert math.isnan(crossed(math.nan))
    assert -math.inf == crossed(-math.inf)
    assert -1 == math.copysign(1, crossed(-0.0))


def test_numbers_beyond_the_digit_limit_arrive() -> None:
    """Python refuses to parse more than 4,300 digits; such a number crosses in hexadecimal."""
    assert 10**5000 == crossed(10**5000)


def test_subclasses_are_not_plain_values() -> None:
    """A number with a class of its own could lie when it is compared, so it is not taken for a number."""

    class Liar(int):
        pass

    with pytest.raises(WireError, match="Liar"):
        crossed(Liar(5))


def test_what_contains_itself_is_refused() -> None:
    """A list within itself would never end."""
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(WireError, match="nested deeper"):
        crossed(endless)


def nested(depth: int) -> Any:
    """Return lists in lists."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "data",
    [
        {"builtins.tuple": 5},
        {"builtins.dict": [1]},
        {"builtins.dict": [[], 1]},
        {"builtins.set": [[]]},
        {},
        {"a": 1, "b": 2},
        {"int": 5},
        {"int": "x"},
        {"float": "1e999"},
        {"float": []},
        {"builtins.bytes": "é"},
        {"builtins.bytes": 1},
        {"builtins.range": ["0x0", "0x1", "0x0"]},
        {"builtins.range": ["0x0"]},
        {"datetime.date": "yesterday"},
        {"datetime.timedelta": ["0xffffffffffff", "0x0", "0x0"]},
        {"decimal.Decimal": "x"},
        {"uuid.UUID": "x"},
        {"fractions.Fraction": ["0x1", "0x0"]},
        {"builtins.complex": "x"},
        {"unknown": 1},
        nested(MAX_DEPTH + 10),
    ],
)
def test_what_is_no_value_is_refused(data: object) -> None:
    """A forged reply raises WireError, never something the grader does not expect."""
    with pytest.raises(WireError):
        decode(data, refuse_tag)


def test_exact_types_of_the_library_arrive() -> None:
    """Times with zones, exact decimals and fractions keep what they are."""
    moment = dt.datetime(2026, 12, 1, 23, 59, tzinfo=dt.UTC)
    for value in (moment, decimal.Decimal("1.10"), fractions.Fraction(1, 3), range(1, 9, 2), ...):
        assert value == crossed(value)
