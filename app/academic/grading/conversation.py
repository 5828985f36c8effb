"""Requests to the student's program as the tests mean them: values, objects, exceptions, calls back.

Every decision about a value is taken here, on the trusted side, after it crossed as typed JSON.
"""

from __future__ import annotations

import builtins
import sys
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from app.academic.grading import proxies
from app.academic.grading.endings import BoxEnded
from app.academic.grading.proxy_types import class_of, object_of
from app.academic.grading.student_errors import build_error
from app.academic.grading.wire import WireError, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.academic.grading.channel import Box

_ORIGINAL_INPUT = builtins.input


class _NoInput(Exception):
    """The program asks for input, and the test gives none."""


class Conversation:
    """One box and the objects in it; ends with it."""

    def __init__(self, box: Box, tell: Callable[[str], None], made: Callable[[proxies.Remote], None]) -> None:
        self.box, self._tell, self._made = box, tell, made
        self._number = 0
        self._callables: list[Any] = []
        self._thrown: list[BaseException] = []
        self._known: weakref.WeakValueDictionary[int, proxies.Remote] = weakref.WeakValueDictionary()
        self.is_used = False

    def request(self, op: str, **details: Any) -> dict[str, Any]:
        """Ask for something and return the reply; raises what the student's code raised."""
        self.is_used = self.is_used or op in {"call", "set", "del"}
        reply = self._exchange(op, details)
        if "error" in reply:
            raise self._rebuild_error(reply["error"])
        if set(reply) - {"n", "mutated"} != {"ok"}:
            self._reject()
        return reply

    def value(self, op: str, **details: Any) -> Any:
        """Ask for something and return its value."""
        return self.unpack(self.request(op, **details)["ok"])

    def call(self, on: Any, name: str | None, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        """Call something in the box; what it changes in its arguments is changed here too."""
        packed = [self.pack(item) for item in arguments]
        named = {key: self.pack(item) for key, item in keywords.items()}
        reply = self.request("call", on=on, name=name, args=packed, kwargs=named)
        given: dict[Any, Any] = {**dict(enumerate(arguments)), **keywords}
        for change in reply.get("mutated") or ():
            self._take_over(given, change)
        result = reply["ok"]
        if isinstance(result, dict) and list(result) == ["same"] and result["same"] in given:
            return given[result["same"]]
        return self.unpack(result)

    def _exchange(self, op: str, details: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        reply = self.box.ask({"n": number, "op": op, **details})
        while True:
            self._tell(self.box.take_output())
            if type(reply.get("n")) is not int or reply["n"] != number:
                self.box.end("protocol_error", "The program answered a question that was not asked.")
            if "ask" not in reply:
                return reply
            reply = self.box.ask({"n": number, "op": "back", **self._answer(reply["ask"])})

    def _take_over(self, given: dict[Any, Any], change: Any) -> None:
        if (
            not isinstance(change, list)
            or len(change) != len(("place", "value"))
            or not isinstance(change[0], (int, str))
        ):
            self._reject()
        old = given.get(change[0])
        new = self.unpack(change[1])
        if type(old) is type(new) and isinstance(old, (list, dict, set, bytearray)):
            _update(old, new)

    def _reject(self) -> NoReturn:
        self.box.end("bad_reply", "The program's reply is not a reply.")

    # values

    def pack(self, value: Any) -> Any:
        """Return a value of the test's as it crosses into the box."""
        try:
            return encode(value, self._pack_special)
        except WireError as error:
            raise TypeError(f"{_kind(value)} cannot be passed to the student's program: {error}") from None

    def _pack_special(self, value: Any, _depth: int) -> Any:
        if (target := proxies.target_of(value, self)) is not None:
            return target
        if isinstance(value, type) and value.__module__ in {"builtins", "datetime", "decimal", "fractions"}:
            return {"type": f"{value.__module__}.{value.__qualname__}"}
        if isinstance(value, TracebackType):
            return None
        if isinstance(value, BaseException):
            return {"exception": [_class_target(type(value)), [self.pack(item) for item in value.args]]}
        if callable(value):
            return {"callback": self._keep(value)}
        if hasattr(type(value), "__next__"):
            return {"iterator": self._keep(lambda: _one(value))}
        raise WireError(
            f"{_kind(value)} stays in the tests; numbers, texts, containers, dates, functions and objects "
            "of the student's own classes can be passed"
        )

    def _keep(self, value: Any) -> int:
        self._callables.append(value)
        return len(self._callables) - 1

    def unpack(self, data: Any) -> Any:
        """Return the value that came out of the box; anything but a value ends it."""
        try:
            return decode(data, self._unpack_special)
        except (
            WireError,
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
            ValueError,
            RecursionError,
        ) as error:
            if getattr(error, proxies.STUDENT_MARK, False):
                raise
            self._reject()

    def _unpack_special(self, tag: str, content: Any) -> Any:
        if tag == "object":
            return self._object(content)
        if tag == "class":
            return class_of(self, content)
        if tag == "exception":
            return self._rebuild_error(content)
        if tag == "yours":
            return self._callables[int(content)]
        if tag == "type":
            return _known_type(content)
        raise WireError(tag)

    def _object(self, content: dict[str, Any]) -> Any:
        number = int(content["id"])
        found = self._known.get(number)
        if found is None:
            found = object_of(self, content)
            if isinstance(found, proxies.Remote):
                self._known[number] = found
                self._made(found)
        return found

    def _rebuild_error(self, content: dict[str, Any]) -> BaseException:
        yours = content.get("yours")
        if isinstance(yours, int) and 0 <= yours < len(self._thrown):
            return self._thrown[yours]
        try:
            return build_error(self, content)
        except (WireError, KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError):
            self._reject()

    # what the student's code asks of the test

    def _answer(self, question: Any) -> dict[str, Any]:
        if not isinstance(question, dict):
            self._reject()
        try:
            return {"value": self.pack(self._do(question))}
        except BoxEnded:
            raise
        except _NoInput:
            end = {"exception": [{"type": "builtins.EOFError"}, ["EOF when reading a line"]]}
            return {"throw": end, "number": None}
        except BaseException as error:  # noqa: BLE001 - whatever fails here has to be told, not lost
            self._thrown.append(error)
            packed = {
                "exception": [_class_target(type(error)), [_text_or_number(item) for item in error.args]]
            }
            return {"throw": packed, "number": len(self._thrown) - 1}

    def _do(self, question: dict[str, Any]) -> Any:
        if "call" in question:
            function = self._callables[question["call"]]
            keywords = {str(name): self.unpack(item) for name, item in question["kwargs"].items()}
            return function(*[self.unpack(item) for item in question["args"]], **keywords)
        if "input" in question:
            return _input(str(question["input"]))
        if question.get("stdin") in {"readline", "read"} and _has_stdin():
            return getattr(sys.stdin, question["stdin"])(int(question["size"]))
        return ""


def _input(prompt: str) -> str:
    if builtins.input is not _ORIGINAL_INPUT:
        return builtins.input(prompt)
    sys.stdout.write(prompt)
    line = sys.stdin.readline() if _has_stdin() else ""
    if not line:
        raise _NoInput
    return line.removesuffix("\n")


def _has_stdin() -> bool:
    return type(sys.stdin).__module__.partition(".")[0] != "_pytest" and sys.stdin is not sys.__stdin__


def _one(iterator: Any) -> list[Any]:
    try:
        return [next(iterator)]
    except StopIteration:
        return []


def _update(old: Any, new: Any) -> None:
    """Make old equal to new in place, down to the inner containers, so that other names for them see it."""
    if isinstance(old, list):
        inner = [_merged(before, after) for before, after in zip(old, new, strict=False)]
        old[:] = [*inner, *new[len(inner) :]]
    elif isinstance(old, dict):
        merged = {key: _merged(old[key], item) if key in old else item for key, item in new.items()}
        old.clear()
        old.update(merged)
    elif isinstance(old, set):
        old.intersection_update(new)
        old.update(new)
    else:
        old[:] = new


def _merged(before: Any, after: Any) -> Any:
    if type(before) is type(after) and isinstance(before, (list, dict, set, bytearray)):
        _update(before, after)
        return before
    return after


def _class_target(kind: type) -> dict[str, Any]:
    for one in kind.__mro__:
        if (path := proxies.path_of_class(one)) is not None:
            return {"path": path}
        if one.__module__ == "builtins":
            return {"type": f"builtins.{one.__qualname__}"}
    return {"type": "builtins.Exception"}


def _text_or_number(value: object) -> Any:
    return value if value is None or type(value) in (str, bool, int, float) else repr(value)


def _known_type(name: object) -> Any:
    """Return a loaded class of the standard library; nothing is imported on a student's word."""
    module = str(name).partition(".")[0]
    path = str(name).rpartition(".")
    found: Any = sys.modules.get(path[0]) if module in sys.stdlib_module_names else None
    kind = getattr(found, path[2], None)
    return kind if isinstance(kind, type) else proxies.NamedType(str(name))


def _kind(value: object) -> str:
    return f"an object of type {type(value).__qualname__}"
