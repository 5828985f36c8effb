"""Whether parameters fit a handler's signature and annotations, found out without calling it."""

from __future__ import annotations

import inspect
import types
import typing
from functools import lru_cache
from typing import Any, Final

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Enough to recognise a value by.
_SHOWN: Final = 80
# The name of a parameter that there is not may be as long as all parameters.
_LONGEST: Final = 200
_KINDS: Final = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def check_call(function: Callable[..., Any], parameters: list[Any] | dict[str, Any]) -> str | None:
    """Say why `parameters` do not fit the method's signature and annotations, or give None."""
    signature, own, hints = shape_of(function)
    if not parameters and not own:
        return None
    try:
        named = parameters if isinstance(parameters, dict) else {}
        listed = parameters if isinstance(parameters, list) else []
        bound = signature.bind(*listed, **named)
    except TypeError as error:
        return f"{str(error)[:_LONGEST]} (it takes {signature})"
    return _first_misfit(hints, bound.arguments, own)


@lru_cache(maxsize=1024)
def shape_of(
    function: Callable[..., Any],
) -> tuple[inspect.Signature, list[inspect.Parameter], Mapping[str, Any]]:
    """Give what a method takes: its signature and parameters without `self`, and their annotations."""
    signature = inspect.signature(function)
    own = list(signature.parameters.values())[1:]
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - annotations may name what only a type checker imports
        hints = {}
    return signature.replace(parameters=own), own, hints


def _first_misfit(
    hints: Mapping[str, Any], arguments: Mapping[str, Any], own: list[inspect.Parameter]
) -> str | None:
    starred = {each.name for each in own if each.kind in {each.VAR_POSITIONAL, each.VAR_KEYWORD}}
    for name, value in arguments.items():
        if name in hints and name not in starred and not _fits(value, hints[name]):
            # The kind and not the value: it may be a secret.
            return f"{name} must be {_name_of(hints[name])}, not {_KINDS[type(value)]}"
    return None


def _name_of(hint: Any) -> str:
    plain = isinstance(hint, type) and not typing.get_args(hint)
    return hint.__name__ if plain else str(hint).replace("typing.", "")


def _fits(value: object, hint: Any) -> bool:  # noqa: C901 - one line an annotation
    """Whether a JSON value fits an annotation; annotations that JSON has no word for fit everything."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return any(_fits(value, each) for each in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint is None or hint is type(None):
        return value is None
    kind = origin or hint
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in {str, bool}:
        return isinstance(value, kind)
    if kind is list:
        return isinstance(value, list) and _items_fit(value, typing.get_args(hint))
    if kind is dict:
        return isinstance(value, dict) and _items_fit(value.values(), typing.get_args(hint)[1:])
    return True


def _items_fit(values: Iterable[object], hints: tuple[Any, ...]) -> bool:
    return not hints or all(_fits(value, hints[0]) for value in values)


def shown(value: object) -> str:
    """Give a value as a short line of ASCII."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
