"""What the tests are told of a class: its names, the operators it has, and the plain type below it."""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MUTABLE = (list, dict, set, bytearray)
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: b"".join([value, b""]),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    list: lambda value: list(list.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    bytearray: bytearray,
}
_SPECIAL_NAMES = """
    call len iter next reversed contains getitem setitem delitem enter exit eq ne lt le gt ge hash
    bool int float complex index abs neg pos invert round trunc floor ceil add radd iadd sub rsub
    isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv ifloordiv mod rmod imod divmod
    rdivmod pow rpow ipow matmul rmatmul imatmul and rand iand or ror ior xor rxor ixor lshift
    rlshift ilshift rshift rrshift irshift aenter aexit aiter anext fspath
"""
SPECIALS = tuple(f"__{name}__" for name in _SPECIAL_NAMES.split())


def describe_class(kind: type, number: int) -> dict[str, Any]:
    """Return what the tests need to stand in for a class that is known by this number."""
    return {
        "id": number,
        "names": _names(type.mro(kind)),
        "parents": [_names(one.__bases__) for one in type.mro(kind)[:-1]][:30] if _is_error(kind) else [],
        "specials": [name for name in SPECIALS if has_special(kind, name)],
        "unhashable": kind.__hash__ is None,
        "base": next((base.__name__ for base in _PLAIN if issubclass(kind, base)), None),
    }


def plain_part(value: object) -> Any:
    """Return the number, text or container that value is underneath, None for other objects."""
    for base, part in _PLAIN.items():
        if isinstance(value, base):
            return part(value)
    return None


def _names(kinds: Iterable[type]) -> list[list[str]]:
    return [[str(one.__module__), str(one.__qualname__)] for one in kinds if one is not object][:30]


def _is_error(kind: type) -> bool:
    return issubclass(kind, BaseException)


def has_special(kind: type, name: str) -> bool:
    """Tell whether a class, or one above it, has a special method."""
    for one in type.mro(kind):
        if name in vars(one):
            return one is not object and vars(one)[name] is not None
    return False
