"""Values as typed JSON, the same on both sides of the sandbox's wall.

Plain JSON stands for None, bool, str, list, and int and float where JSON keeps them exactly.
Everything else is an object with one key, its type. What is not a plain value is left to the caller.
"""

from __future__ import annotations

import binascii
import sys

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 60
_EXACT = 1 << 63
_INFINITE = (float("inf"), float("-inf"))


class WireError(ValueError):
    """A value cannot cross the sandbox's wall, or what came across is not a value."""


def encode(value: Any, other: Callable[[Any, int], Any], depth: int = 0) -> Any:
    """Return value as JSON can carry it; other(value, depth) decides about what is not plain."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -_EXACT < value < _EXACT else {"int": hex(value)}
    if kind is float:
        return value if value == value and value not in _INFINITE else {"float": repr(value)}  # noqa: PLR0124 - only NaN differs from itself
    if depth > MAX_DEPTH:
        raise WireError(f"it is nested deeper than {MAX_DEPTH} levels, or contains itself")
    if kind is list:
        return [encode(item, other, depth + 1) for item in value]
    return _encode_tagged(value, kind, other, depth)


def _encode_tagged(value: Any, kind: type, other: Callable[[Any, int], Any], depth: int) -> Any:
    def inner(item: object) -> Any:
        return encode(item, other, depth + 1)

    name = f"{kind.__module__}.{kind.__qualname__}"
    if name in _CONTAINERS and _is_really(kind):
        return {name: [inner(item) for item in _CONTAINERS[name](value)]}
    if name in _VALUES and _is_really(kind):
        return {name: _VALUES[name][0](value)}
    return other(value, depth)


def _is_really(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    return getattr(module, kind.__name__, kind) is kind


def decode(data: Any, other: Callable[[str, Any], Any], depth: int = 0) -> Any:
    """Return the value that data stands for; other(tag, content) decides about what is not plain."""
    if data is None or isinstance(data, (bool, str, int, float)):
        return data
    if depth > MAX_DEPTH + 2:
        raise WireError("nested too deep")
    if isinstance(data, list):
        return [decode(item, other, depth + 1) for item in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise WireError("not a value")
    [(tag, content)] = data.items()
    if tag in _BUILD:
        return _build(tag, content, other, depth)
    if tag in _VALUES:
        return _VALUES[tag][1](content)
    return other(tag, content)


def _build(tag: str, content: Any, other: Callable[[str, Any], Any], depth: int) -> Any:
    if not isinstance(content, list):
        raise WireError("not a container")
    try:
        return _BUILD[tag]([decode(item, other, depth + 1) for item in content])
    except (TypeError, ValueError) as error:
        raise WireError(f"not a {tag}: {error}") from None


def _flat(mapping: dict[Any, Any]) -> list[Any]:
    return [part for pair in dict.items(mapping) for part in pair]


def _pairs(flat: list[Any]) -> dict[Any, Any]:
    if len(flat) % 2:
        raise WireError("a dict with half an entry")
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _collection(name: str) -> Callable[[list[Any]], Any]:
    def build(parts: list[Any]) -> Any:
        import collections

        if name == "deque":
            return collections.deque(parts[1:], parts[0])
        if name == "defaultdict":
            return collections.defaultdict(None, _pairs(parts))
        return getattr(collections, name)(_pairs(parts))

    return build


_CONTAINERS: dict[str, Callable[[Any], list[Any]]] = {
    "builtins.tuple": list,
    "builtins.set": list,
    "builtins.frozenset": list,
    "builtins.dict": _flat,
    "collections.OrderedDict": _flat,
    "collections.Counter": _flat,
    "collections.defaultdict": _flat,
    "collections.deque": lambda value: [value.maxlen, *value],
    "builtins.slice": lambda value: [value.start, value.stop, value.step],
    "builtins.dict_keys": list,
    "builtins.dict_values": list,
    "builtins.dict_items": list,
}
_BUILD: dict[str, Callable[[list[Any]], Any]] = {
    "builtins.tuple": tuple,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.dict": _pairs,
    "builtins.slice": lambda parts: slice(*parts[:3]),
    "builtins.dict_keys": lambda parts: dict.fromkeys(parts).keys(),
    "builtins.dict_values": lambda parts: dict(enumerate(parts)).values(),
    "builtins.dict_items": lambda parts: dict(parts).items(),
    **{
        f"collections.{name}": _collection(name)
        for name in ("OrderedDict", "Counter", "defaultdict", "deque")
    },
}


def _text(content: object) -> str:
    if not isinstance(content, str):
        raise WireError("not a text")
    return content


def _numbers(content: object, count: int) -> list[int]:
    if not isinstance(content, list) or len(content) != count:
        raise WireError("not numbers")
    return [int(_text(item), 16) for item in content]


def _parse(module: str, name: str) -> Callable[[Any], Any]:
    def build(content: object) -> Any:
        kind = getattr(__import__(module), name)
        try:
            return kind.fromisoformat(_text(content)) if module == "datetime" else kind(_text(content))
        except (ArithmeticError, ValueError) as error:
            raise WireError(f"not a {name}: {error}") from None

    return build


def _fraction(content: object) -> Any:
    import fractions

    top, bottom = _numbers(content, 2)
    if not bottom:
        raise WireError("a fraction over zero")
    return fractions.Fraction(top, bottom)


def _timedelta(content: object) -> Any:
    import datetime  # noqa: ICN001 - the module by its name

    days, seconds, microseconds = _numbers(content, 3)
    try:
        return datetime.timedelta(days, seconds, microseconds)
    except OverflowError as error:
        raise WireError(str(error)) from None


def _special_float(content: object) -> float:
    if _text(content) not in {"inf", "-inf", "nan"}:
        raise WireError("not a special float")
    return float(str(content))


def _complex(content: object) -> complex:
    try:
        return complex(_text(content))
    except ValueError as error:
        raise WireError(str(error)) from None


def _hex_number(content: object) -> int:
    try:
        return int(_text(content), 16)
    except ValueError:
        raise WireError("not a number") from None


def _bytes(content: object) -> bytes:
    try:
        return binascii.a2b_base64(_text(content))
    except ValueError as error:
        raise WireError(str(error)) from None


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def _range(content: object) -> range:
    start, stop, step = _numbers(content, 3)
    if not step:
        raise WireError("a range without a step")
    return range(start, stop, step)


_VALUES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "int": (hex, _hex_number),
    "float": (repr, _special_float),
    "builtins.bytes": (_base64, _bytes),
    "builtins.bytearray": (_base64, lambda content: bytearray(_bytes(content))),
    "builtins.complex": (repr, _complex),
    "builtins.range": (lambda value: [hex(value.start), hex(value.stop), hex(value.step)], _range),
    "builtins.ellipsis": (lambda _: 0, lambda _: ...),
    "builtins.NotImplementedType": (lambda _: 0, lambda _: NotImplemented),
    "datetime.date": (lambda value: value.isoformat(), _parse("datetime", "date")),
    "datetime.time": (lambda value: value.isoformat(), _parse("datetime", "time")),
    "datetime.datetime": (lambda value: value.isoformat(), _parse("datetime", "datetime")),
    "datetime.timedelta": (
        lambda value: [hex(value.days), hex(value.seconds), hex(value.microseconds)],
        _timedelta,
    ),
    "decimal.Decimal": (str, _parse("decimal", "Decimal")),
    "fractions.Fraction": (lambda value: [hex(value.numerator), hex(value.denominator)], _fraction),
    "uuid.UUID": (str, _parse("uuid", "UUID")),
    "pathlib.PosixPath": (str, _parse("pathlib", "PosixPath")),
}
