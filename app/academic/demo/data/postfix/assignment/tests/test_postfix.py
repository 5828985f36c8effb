"""What the postfix calculator must do; the marks say what each rule is worth."""

import pytest

import postfix


@pytest.mark.points(10)
def test_single_number():
    """A number alone is its own value."""
    assert postfix.evaluate("42") == 42


@pytest.mark.points(10)
def test_the_four_operators():
    """Each operator takes two values."""
    assert postfix.evaluate("3 4 +") == 7
    assert postfix.evaluate("3 4 *") == 12


@pytest.mark.points(10)
def test_order_of_operands():
    """The deeper value is the left operand."""
    assert postfix.evaluate("10 3 -") == 7
    assert postfix.evaluate("7 2 /") == 3


@pytest.mark.points(10)
def test_nested():
    """Results are operands again."""
    assert postfix.evaluate("5 1 2 + 4 * + 3 -") == 14


@pytest.mark.points(5)
def test_negative_numbers():
    """A sign belongs to its number; division rounds down."""
    assert postfix.evaluate("-7 2 /") == -4


@pytest.mark.points(5)
def test_division_by_zero():
    """Nothing is divided by zero."""
    with pytest.raises(ZeroDivisionError):
        postfix.evaluate("1 0 /")


@pytest.mark.points(10)
@pytest.mark.parametrize("expression", ["", "1 +", "1 2", "2 2 ^"])
def test_refuses(expression):
    """What is no expression is refused."""
    with pytest.raises(ValueError):
        postfix.evaluate(expression)
