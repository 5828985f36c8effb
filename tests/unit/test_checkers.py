"""Checkers: what each takes for the same output, and what it says of the first difference."""

from __future__ import annotations

import pytest

from app.academic.grading.programs.checkers import Checker


@pytest.mark.parametrize(
    ("checker", "got", "expected", "is_right"),
    [
        (Checker(), "a  \nb\n\n\n", "a\nb", True),
        (Checker(), "a\r\nb\r\n", "a\nb\n", True),
        (Checker(), " a\n", "a\n", False),
        (Checker(), "a\n\nb\n", "a\nb\n", False),
        (Checker(has_case=False), "ABC", "abc", True),
        (Checker(name="exact"), "a\n", "a\n", True),
        (Checker(name="exact"), "a", "a\n", False),
        (Checker(name="exact"), "a \n", "a\n", False),
        (Checker(name="floats"), "x = 0.3333334 1e3\n", "x = 0.3333333 1000", True),
        (Checker(name="floats"), "0.334", "0.333", False),
        (Checker(name="floats", precision=2), "0.334", "0.333", True),
        (Checker(name="floats"), "nan", "nan", False),
        (Checker(name="floats"), "NaN", "1", False),
        (Checker(name="floats"), "inf", "1e999", False),
        (Checker(name="floats"), "1 2", "1", False),
        (Checker(name="floats"), "1\n2", "1", False),
        (Checker(name="floats", precision=3, near="relative"), "1000.9", "1000", True),
        (Checker(name="floats", precision=3, near="absolute"), "1000.9", "1000", False),
        (Checker(name="sorted"), "b\na\n", "a\nb\n", True),
        (Checker(name="sorted"), "b\nb\na\n", "a\nb\n", False),
        (Checker(name="included"), "Name: Hello, Emma!\n", "hello, emma\n", False),
        (Checker(name="included", has_case=False), "Name: Hello, Emma!\n", "hello, emma\n", True),
        (Checker(name="regex"), "total 42\n", r"total \d+", True),
        (Checker(name="regex"), "the total 42\n", r"total \d+", False),
        (Checker(name="regex-search"), "the total 42 is\n", r"total \d+", True),
    ],
)
def test_outputs_are_compared_as_their_checker_says(
    checker: Checker,
    got: str,
    expected: str,
    is_right: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Spaces, order and nearness count for some checkers and not for others; NaN is never right."""
    assert is_right == (checker.differs(got, (expected,)) is None)


def test_pieces_have_to_come_in_their_order() -> None:
    """Several expected pieces are looked for one after the other."""
    checker = Checker(name="included")
    assert checker.differs("one two", ("one", "two")) is None
    assert "'one' does not stand in it after what comes before." == checker.differs(
        "two one", ("two one", "one")
    )


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ("a\nx\n", "Line 2: 'x' instead of 'b'."),
        ("a\n", "Line 2 is missing: 'b'."),
        ("a\nb\nc\n", "Line 3: 'c' is too much."),
    ],
)
def test_the_first_difference_is_told(got: str, said: str) -> None:
    """A student reads which line differs, and how."""
    assert said == Checker().differs(got, ("a\nb\n",))


def test_an_expression_that_never_ends_is_ended() -> None:
    """A pattern that would try for ever on a student's output is stopped, and the output is not right."""
    said = Checker(name="regex").differs("a" * 40 + "b", (r"(a+)+",))
    assert "Comparing it with the regular expression took too long." == said
