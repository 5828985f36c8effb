"""The operators of a student's object: forwarded when the test made it, decided on this side when not."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from app.academic.grading.proxies import Remote, conversation_of, forward, slot_of, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSAL = (
    "this test combines or compares an object returned by the student's program with a value of the "
    "test; the object is not asked, because it would see the value: compare its attributes or its str()"
)
_COMPARISONS = {"__eq__": operator.eq, "__ne__": operator.ne, "__lt__": operator.lt, "__le__": operator.le,
                "__gt__": operator.gt, "__ge__": operator.ge, "__contains__": operator.contains}  # fmt: skip
_OPERATORS = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift"
_BINARY = frozenset(f"__{prefix}{name}__" for name in _OPERATORS.split() for prefix in ("", "r", "i"))


def special_method(name: str) -> Any:
    """Return the method that a proxy has for a special name of the student's class."""
    if name in _COMPARISONS or name in _BINARY:
        return lambda self, *others: _combine(self, name, others)

    def method(self: Remote, *arguments: Any, **keywords: Any) -> Any:
        return forward(self, name, arguments, keywords)

    method.__name__ = name
    return method


def _combine(remote: Remote, name: str, others: tuple[Any, ...]) -> Any:
    if slot_of(remote, "_is_ours") or all(issubclass(type(other), Remote) for other in others):
        return _as_ours(remote, name, forward(remote, name, others))
    base = slot_of(remote, "_known").get("base")
    if base is not None:
        conversation = conversation_of(remote)
        plain = conversation.value("plain", on=target_of(remote, conversation))
        compare: Any = _COMPARISONS.get(name)
        return getattr(plain, name)(*others) if compare is None else compare(plain, others[0])
    if name in {"__eq__", "__ne__"}:
        return name == "__ne__"
    if name == "__contains__":
        return any(item is others[0] or item == others[0] for item in _iterate(remote))
    raise TypeError(_REFUSAL)


def _as_ours(remote: Remote, name: str, result: Any) -> Any:
    """Let what the test computed from its own object with an operator be its own as well."""
    if name in _BINARY and type(result) is type(remote) and slot_of(remote, "_is_ours"):
        object.__setattr__(result, "_is_ours", True)
    return result


def equal_by_base(remote: Remote, other: object) -> Any:
    """Compare by identity, or by what is underneath, for a class without an `__eq__` of its own."""
    if remote is other:
        return True
    if slot_of(remote, "_known").get("base") is None or issubclass(type(other), Remote):
        return NotImplemented
    return _combine(remote, "__eq__", (other,))


def _iterate(remote: Any) -> Iterator[Any]:
    if not hasattr(type(remote), "__iter__") and not hasattr(type(remote), "__getitem__"):
        raise TypeError(_REFUSAL)
    return iter(remote)
