"""Parameters are plain JSON, read strictly."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.runner.plain import MAX_DEPTH, MAX_PARAMETERS_BYTES, parse_json, plain_json

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
scalars |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(value=st.lists(values, max_size=4) | st.dictionaries(texts, values, max_size=4))
def test_plain_json_comes_back_as_it_was(value: Any) -> None:
    """What is plain is stored as JSON that reads back equal, and that every JSON reader takes."""
    same, text = plain_json(value)

    assert value == same == json.loads(text)
    assert value == parse_json(text)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("{bad", "not JSON"),
        ("", "not JSON"),
        ('{"a": 1}{"a": 2}', "not JSON"),
        ('{"a": 1, "a": 2}', "a key is given twice"),
        ('[{"a": {"b": 1, "b": 1}}]', "a key is given twice"),
        ("[NaN]", "NaN is not JSON"),
        ("[Infinity]", "Infinity is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[1e400]", "infinities"),
        ("[9223372036854775808]", "64 bits"),
        ("[-9223372036854775809]", "64 bits"),
        (f"[{'9' * 5000}]", "digits"),
        ('["a\nb"]', "not JSON"),
        ("\ufeff[]", "not JSON"),
        ('["\\u0000"]', "NUL"),
        ('["\\ud800"]', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ("5", "must be a list or an object"),
        ("null", "must be a list or an object"),
        ('"text"', "must be a list or an object"),
        ("[" * 5000, f"nested more than {MAX_DEPTH} deep"),
        ('{"a":' * 5000, f"nested more than {MAX_DEPTH} deep"),
        (b"\xff{}", "must be UTF-8"),
        ([float("nan")], "NaN and infinities"),
        ([float("inf")], "NaN and infinities"),
        ([2**63], "64 bits"),
        ([complex(1)], "complex is not"),
        ([b"bytes"], "bytes is not"),
        ([(1, 2)], "tuple is not"),
        ([{1, 2}], "set is not"),
        ([OrderedDict()], "OrderedDict is not"),
        ([{1: "a"}], "keys must be texts, not int"),
        ({"a": 1 + 2j}, "complex is not"),
        ({"text": "x" * MAX_PARAMETERS_BYTES}, "at most"),
        ([0] * MAX_PARAMETERS_BYTES, "at most"),
        (5, "must be a list or an object"),
        (True, "must be a list or an object"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_is_not_plain_json_is_refused_with_its_reason(given: object, problem: str) -> None:
    """Anything that readers of JSON, or databases, could disagree about is refused."""
    with pytest.raises(ValueError, match=problem):
        plain_json(given)


class Text(str):
    """A text with a mind of its own."""

    __slots__ = ()


class Number(int):
    """A number with a mind of its own."""


@pytest.mark.parametrize("value", [Text("a"), Number(1)])
def test_values_that_only_look_plain_are_refused(value: object) -> None:
    """A subclass may run code of its own when it is written: only the plain types are plain."""
    with pytest.raises(ValueError, match="must be plain JSON"):
        plain_json([value])


def test_a_value_that_holds_itself_is_refused() -> None:
    """A cycle is nested deeper than anything may be."""
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ValueError, match="nested more than"):
        plain_json(endless)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_the_depth_has_one_limit_for_texts_and_values(depth: int) -> None:
    """Given as text or as a value, the same nesting is allowed."""
    text = "[" * depth + "]" * depth

    for parameters in (text, json.loads(text)):
        if depth <= MAX_DEPTH:
            assert text == plain_json(parameters)[1]
        else:
            with pytest.raises(ValueError, match="nested"):
                plain_json(parameters)


def test_brackets_inside_of_texts_do_not_nest() -> None:
    """Only structure counts, not what a text is about, quotes and backslashes included."""
    value = ["[" * 100, '\\"[' * 50, "\\"]

    assert value == plain_json(json.dumps(value))[0]


def test_the_size_is_counted_in_bytes() -> None:
    """The limit holds for what is stored, not for its characters."""
    fits = "é" * ((MAX_PARAMETERS_BYTES - 4) // 2)

    assert [fits] == plain_json([fits])[0]
    with pytest.raises(ValueError, match=f"at most {MAX_PARAMETERS_BYTES} bytes"):
        plain_json([fits + "é"])
