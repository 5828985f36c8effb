"""Values as they cross the sandbox's wall, and the objects that stay inside, known by number."""

from __future__ import annotations

import sys

from app.academic.grading.inside.classes import describe_class, plain_part
from app.academic.grading.inside.lent import Lender
from app.academic.grading.inside.traces import trace
from app.academic.grading.wire import WireError, decode, encode

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FUNCTIONS = ("function", "builtin_function_or_method", "method", "method-wrapper")
_TEXT_LIMIT = 4000
_CAUSES = 5


class Values:
    """Packs what leaves and unpacks what comes; keeps each object it gave a number to."""

    def __init__(self, code: str, modules: frozenset[str], ask: Callable[[dict[str, Any]], Any]) -> None:
        self._code, self._modules = code, modules
        self._lender = Lender(ask, self.pack, self.unpack)
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}

    def pack(self, value: object) -> Any:
        """Return value as it crosses to the tests."""
        return encode(value, self._pack_special)

    def unpack(self, data: Any) -> Any:
        """Return the value that came from the tests as data."""
        return decode(data, self._unpack_special)

    def describe_error(self, error: BaseException, depth: int = 0) -> dict[str, Any]:
        """Return what the tests need to raise error on their side."""
        cause = error.__cause__
        arguments = error.args
        if isinstance(error, OSError) and error.filename is not None:
            arguments = (error.errno, error.strerror, error.filename)
        return {
            "cause": None if cause is None or depth > _CAUSES else self.describe_error(cause, depth + 1),
            "class": self._describe_class(type(error)),
            "id": self._number(error),
            "args": [self._pack_argument(item) for item in arguments[:20]],
            "message": str(error)[:_TEXT_LIMIT],
            "trace": trace(error, self._code)[-_TEXT_LIMIT:],
            "yours": self._lender.number_of(error),
        }

    def _pack_special(self, value: object, depth: int) -> Any:
        if (number := self._lender.number_of(value)) is not None:
            return {"yours": number}
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
        if value.__module__.partition(".")[0] in {*self._modules, "tests"}:
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
        if tag in {"lent", "failure", "iterator"}:
            return self._lender.take(tag, content)
        if tag == "type":
            return _follow(content.rsplit(".", 1))
        if tag == "made":
            make, arguments, *named = [self.unpack(part) for part in content]
            return make(*arguments, **(named[0] if named else {}))
        if tag == "exception":
            return self._error(*content)
        raise WireError(f"unknown kind of value: {tag}")

    def _error(self, kind: Any, arguments: list[Any], number: int | None) -> Any:
        if number is not None and (known := self._lender.made(number)) is not None:
            return known
        error = self.unpack(kind)(*[self.unpack(item) for item in arguments])
        return error if number is None else self._lender.keep(number, error)


def _follow(path: list[str]) -> Any:
    found: Any = sys.modules.get(path[0])
    if found is None:
        found = __import__(path[0], fromlist=["_"])
    for name in ".".join(path[1:]).split(".") if path[1:] else ():
        found = getattr(found, name)
    return found
