"""Classes of the tests below classes of the student's, as they are made inside."""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from typing import Any

_ALWAYS = ("__init__",)
_NEVER = frozenset({"__new__", "__class__", "__init_subclass__", "__subclasshook__", "__getattribute__",
                    "__getattr__", "__setattr__", "__delattr__", "__repr__", "__str__", "__format__",
                    "__dir__", "__reduce__", "__reduce_ex__", "__sizeof__", "__getstate__"})  # fmt: skip


def members(kind: type, specials: list[str]) -> dict[str, Any]:
    """Return which names of a class are methods or properties, and which operators it has."""
    found = set(_ALWAYS)
    for one in type.mro(kind)[:-1]:
        for name, value in vars(one).items():
            is_method = isinstance(value, (property, staticmethod, classmethod)) or callable(value)
            if is_method and not isinstance(value, type) and name not in _NEVER and name not in specials:
                found.add(name)
    return {"methods": sorted(found), "specials": specials}


def derive(name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
    """Return a class as the test has it."""
    return type(bases[0])(name, bases, {**body, "__module__": "tests"})


def inherited(value: Any, base: type, name: str) -> Any:
    """Return what `super()` would find, for a class whose parent is base."""
    for one in type.mro(base):
        if name in vars(one):
            found = vars(one)[name]
            return found.__get__(value, type(value)) if hasattr(found, "__get__") else found
    raise AttributeError(name)
