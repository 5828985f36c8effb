"""Values as they cross the sandbox's wall, and the objects that stay inside, known by number."""

from __future__ import annotations

import sys

from app.academic.grading.inside.classes import describe_class, plain_part
from app.academic.grading.inside.traces import trace
from app.academic.grading.wire import WireError, decode, encode

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    CallBack = Callable[[int, tuple[Any, ...], dict[str, Any]], Any]

_FUNCTIONS = ("function", "builtin_function_or_method", "method", "method-wrapper")
_TEXT_LIMIT = 4000


class Values:
    """Packs what leaves and unpacks what comes; keeps each object it gave a number to."""

    def __init__(self, code: str, modules: frozenset[str], call_back: CallBack) -> None:
        self._code, self._modules, self._call_back = code, modules, call_back
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}

    def pack(self, value: object) -> Any:
        """Return value as it crosses to the tests."""
        return encode(value, self._pack_special)

    def unpack(self, data: Any) -> Any:
        """Return the value that came from the tests as data."""
        return decode(data, self._unpack_special)

    def describe_error(self, error: BaseException) -> dict[str, Any]:
        """Return what the tests need to raise error on their side."""
        return {
            "class": self._describe_class(type(error)),
            "id": self._number(error),
            "args": [self._pack_argument(item) for item in error.args[:20]],
            "message": str(error)[:_TEXT_LIMIT],
            "trace": trace(error, self._code)[-_TEXT_LIMIT:],
            "yours": getattr(error, "_thrown_by_test", None),
        }

    def _pack_special(self, value: object, depth: int) -> Any:
        if isinstance(value, _Callback):
            return {"yours": value.number}
        if isinstance(value, type):
            return self._pack_class(value)
        if isinstance(value, BaseException):
            return {"exception": self.describe_error(value)}
        described: dict[str, Any] = {"id": self._number(value)}
        for name in _FUNCTIONS:
            if type(value).__name__ == name and type(value).__module__ == "builtins":
                described["function"] = str(getattr(value, "__name__", name))
        if isinstance(value, type(sys)):
            described["module"] = value.__name__
        described["class"] = self._describe_class(type(value))
        if (base := described["class"]["base"]) is not None and base not in {
            "list",
            "dict",
            "set",
            "bytearray",
        }:
            described["plain"] = encode(plain_part(value), self._pack_special, depth + 1)
        return {"object": described}

    def _pack_class(self, value: type) -> Any:
        if value.__module__.partition(".")[0] in self._modules:
            return {"class": self._describe_class(value)}
        return {"type": f"{value.__module__}.{value.__qualname__}"}

    def _describe_class(self, kind: type) -> dict[str, Any]:
        return describe_class(kind, self._number(kind))

    def _pack_argument(self, item: object) -> Any:
        if type(item) in (str, bytes):
            item = item[:_TEXT_LIMIT]  # type: ignore[index]
        try:
            return self.pack(item)
        except WireError:
            return repr(item)[:_TEXT_LIMIT]

    def _number(self, value: object) -> int:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._objects)
            self._objects[len(self._objects)] = value
        return self._numbers[id(value)]

    def _unpack_special(self, tag: str, content: Any) -> Any:
        if tag == "object":
            return self._objects[content]
        if tag == "path":
            return _follow(content)
        if tag == "callback":
            return _Callback(self._call_back, content)
        if tag == "iterator":
            return _callback_iterator(_Callback(self._call_back, content))
        if tag == "type":
            return _follow(content.rsplit(".", 1))
        if tag == "exception":
            return self.unpack(content[0])(*[self.unpack(item) for item in content[1]])
        raise WireError(f"unknown kind of value: {tag}")


class _Callback:
    """Something callable of the test's, as the student's code sees it."""

    def __init__(self, call_back: CallBack, number: int) -> None:
        self._call_back, self.number = call_back, number

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._call_back(self.number, arguments, keywords)


def _callback_iterator(following: _Callback) -> Iterator[Any]:
    while True:
        found = following()
        if not found:
            return
        yield found[0]


def _follow(path: list[str]) -> Any:
    found: Any = sys.modules.get(path[0])
    if found is None:
        found = __import__(path[0], fromlist=["_"])
    for name in ".".join(path[1:]).split(".") if path[1:] else ():
        found = getattr(found, name)
    return found
