"""Values of the tests on their way into the box: copied when they are values, lent when they are objects."""

from __future__ import annotations

import functools
import operator
import re
import types
from datetime import timezone
from typing import TYPE_CHECKING, Any

from app.academic.grading import lending, proxies
from app.academic.grading.wire import WireError, encode

if TYPE_CHECKING:
    from app.academic.grading.conversation import Conversation

_NO_VALUE = (
    "{kind} stays in the tests; numbers, texts, containers, dates, functions, files, mocks and objects of "
    "classes written in the tests or by the student can be passed"
)


class Outgoing:
    """Packs what the tests pass, and keeps what was lent: the box knows it by number."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._lent: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def pack(self, value: Any) -> Any:
        """Return a value of the test's as it crosses into the box."""
        try:
            return encode(value, self._special)
        except WireError as error:
            raise TypeError(f"{kind_of(value)} cannot be passed to the student's program: {error}") from None

    def lent(self, number: object) -> Any:
        """Return the object that was lent under a number; IndexError or TypeError if none was."""
        if type(number) is not int or number < 0:
            raise TypeError("not a number")
        return self._lent[number]

    def keep(self, value: Any) -> int:
        """Note that value may be used by the box from now on; the same value keeps its number."""
        key: Any = id(value)
        if isinstance(value, types.MethodType):
            key = (id(value.__self__), id(value.__func__))
        if key not in self._numbers:
            self._numbers[key] = len(self._lent)
            self._lent.append(value)
        return self._numbers[key]

    def class_target(self, kind: type) -> dict[str, Any]:
        """Return how the box finds a class of exceptions, making one where it is the test's own."""
        if (path := proxies.path_of_class(kind)) is not None:
            return {"path": path}
        if (known := lending.library_path(kind)) is not None:
            return {"type": ".".join(known)}
        base = next((one for one in kind.__mro__[1:] if issubclass(one, BaseException)), Exception)
        return {"failure": [self.keep(kind), kind.__name__, self.class_target(base)]}

    def error(self, error: BaseException) -> dict[str, Any]:
        """Return an exception of the test's, known by number when it comes back."""
        arguments = [_safe(item, self) for item in error.args]
        return {"exception": [self.class_target(type(error)), arguments, self.keep(error)]}

    def _special(self, value: Any, depth: int) -> Any:
        if (target := proxies.target_of(value, self._conversation)) is not None:
            return target
        if isinstance(value, types.TracebackType):
            return None
        if isinstance(value, BaseException):
            return self.error(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            return self.class_target(value)
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> Any:
        if (path := lending.library_path(value)) is not None:
            return {"type": ".".join(path)} if isinstance(value, type) else {"path": path}
        if isinstance(value, types.ModuleType) and type(value) is not types.ModuleType:
            return {"path": [value.__name__]}
        if (parts := _rebuilt(value)) is not None:
            return {"made": [encode(part, self._special, depth + 1) for part in parts]}
        if lending.may_be_lent(value):
            return {"lent": lending.describe(value, self.keep(value), self.pack)}
        if hasattr(type(value), "__next__"):
            return {"iterator": self.keep(value)}
        raise WireError(_NO_VALUE.format(kind=kind_of(value)))


def kind_of(value: object) -> str:
    """Return what value is, for a sentence."""
    return f"an object of type {type(value).__qualname__}"


def _rebuilt(value: Any) -> tuple[Any, ...] | None:
    """Return what makes the same object again in the box, for the few where that is as good."""
    kind = type(value)
    if kind in (operator.itemgetter, operator.attrgetter, operator.methodcaller):
        return tuple(value.__reduce__())[:2]
    if kind is re.Pattern:
        return re.compile, (value.pattern, value.flags)
    if kind is timezone:
        return timezone, (value.utcoffset(None),)
    if kind.__module__ == "zoneinfo":
        return kind, (value.key,)
    if kind is functools.partial and lending.library_path(value.func) is not None:
        return functools.partial, (value.func, *value.args), value.keywords
    return None


def _safe(value: Any, outgoing: Outgoing) -> Any:
    try:
        return outgoing.pack(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)[:4000]
