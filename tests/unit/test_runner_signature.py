"""Whether parameters fit a handler is found out without calling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from app.runner.signature import check_call

if TYPE_CHECKING:
    from decimal import Decimal


class Handler:
    """Signatures of many kinds."""

    def plain(self, text: str, n: int = 1) -> None:
        """Take a text and perhaps a number."""

    def typed(self, ratio: float = 0, flag: bool = False, names: list[str] | None = None) -> None:  # noqa: FBT001, FBT002 - what is tested
        """Take what JSON has words for."""

    def chosen(self, mode: Literal["fast", "slow"], ages: dict[str, int]) -> None:
        """Take one of a few, and a mapping."""

    def starred(self, first: int, *rest: str, **named: str) -> None:
        """Take anything."""

    def positional(self, a: int, /, *, b: int = 0) -> None:
        """Take one by place only, one by name only."""

    def loose(self, value, other: Any = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
        """Say nothing about types."""

    def unknown(self, amount: Decimal) -> None:
        """Name a type that is not there at run time."""

    def secret(self, password: str) -> None:
        """Take a secret."""


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("plain", ["a"]),
        ("plain", ["a", 2]),
        ("plain", {"text": "a"}),
        ("plain", {"n": 2, "text": "a"}),
        ("typed", []),
        ("typed", [1, True, ["a"]]),
        ("typed", {"ratio": 1.5, "names": None}),
        ("chosen", ["fast", {"ada": 36}]),
        ("starred", [1, "a", "b"]),
        ("starred", {"first": 1, "anything": "x"}),
        ("positional", [1]),
        ("loose", [None, [{}]]),
        ("unknown", ["12.50"]),
    ],
)
def test_parameters_that_fit(method: str, parameters: Any) -> None:
    """A call that Python and the annotations would take has nothing against it."""
    assert check_call(getattr(Handler, method), parameters) is None


@pytest.mark.parametrize(
    ("method", "parameters", "problem"),
    [
        ("plain", [], "missing a required argument: 'text'"),
        ("plain", ["a", 1, 2], "too many positional arguments"),
        ("plain", {"text": "a", "x": 1}, "got an unexpected keyword argument 'x'"),
        ("plain", {"self": 1, "text": "a"}, "got an unexpected keyword argument 'self'"),
        ("plain", {"": 1, "text": "a"}, "got an unexpected keyword argument ''"),
        ("plain", [5], "text must be str, not a whole number"),
        ("plain", [None], "text must be str, not null"),
        ("plain", [["a"]], "text must be str, not a list"),
        ("plain", ["a", 1.5], "n must be int, not a number with a fraction"),
        ("plain", ["a", True], "n must be int, not true or false"),
        ("plain", ["a", "1"], "n must be int, not a text"),
        ("typed", [True], "ratio must be float, not true or false"),
        ("typed", [1, 1], "flag must be bool, not a whole number"),
        ("typed", [1, True, [1]], "names must be list[str] | None, not a list"),
        ("chosen", ["quick", {}], "mode must be Literal['fast', 'slow'], not a text"),
        ("chosen", ["fast", {"ada": "36"}], "ages must be dict[str, int], not an object"),
        ("positional", {"a": 1}, "positional only"),
    ],
)
def test_parameters_that_do_not_fit_are_named(method: str, parameters: Any, problem: str) -> None:
    """The sentence says which parameter is wrong and what was expected."""
    assert problem in (check_call(getattr(Handler, method), parameters) or "")


@pytest.mark.parametrize("value", [["hunter2"], {"is": "hunter2"}])
def test_a_value_that_does_not_fit_is_not_repeated(value: Any) -> None:
    """A parameter that is wrong may still be a secret: its kind is shown and not its value."""
    misfit = check_call(Handler.secret, [value])

    assert misfit is not None
    assert "hunter2" not in misfit


def test_a_sentence_stays_a_sentence() -> None:
    """The name of a parameter that there is not comes from outside, and is not repeated at length."""
    misfit = check_call(Handler.plain, {"text": "a", "x" * 60_000: 1})

    assert len(misfit or "") < 400
