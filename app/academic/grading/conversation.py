"""Requests to the student's program as the tests mean them: values, objects, exceptions, calls back.

Every decision about a value is taken here, on the trusted side, after it crossed as typed JSON.
"""

from __future__ import annotations

import builtins
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from app.academic.grading import lending, proxies
from app.academic.grading.derived import recipe, stand_in
from app.academic.grading.endings import BoxEnded
from app.academic.grading.outgoing import Outgoing
from app.academic.grading.proxy_types import class_of, object_of
from app.academic.grading.sharing import Shared
from app.academic.grading.student_errors import build_error
from app.academic.grading.wire import WireError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.academic.grading.channel import Box
    from app.academic.grading.mirror import Mirror

_ORIGINAL_INPUT = builtins.input
_NOT_A_VALUE = (WireError, KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)
_OF_REPLY = frozenset({"n", "changed", "share"})


class _NoInput(Exception):
    """The program asks for input, and the test gives none."""


class Conversation:
    """One box and the objects in it; ends with it."""

    def __init__(
        self,
        box: Box,
        tell: Callable[[int, str], None],
        made: Callable[[proxies.Remote], None],
        mirror: Mirror | None = None,
    ) -> None:
        self.box, self._tell, self._made, self._mirror = box, tell, made, mirror
        self._number = 0
        self._lock = threading.RLock()
        self._outgoing = Outgoing(self)
        self.pack = self._outgoing.pack
        self._shared = Shared(self.pack, self.unpack, 0)
        self._known: weakref.WeakValueDictionary[int, proxies.Remote] = weakref.WeakValueDictionary()
        self._derived: dict[type, int] = {}
        self.is_used = False

    def request(self, op: str, **details: Any) -> dict[str, Any]:
        """Ask for something and return the reply; raises what the student's code raised."""
        # Tests may start threads; the program still answers one question at a time.
        with self._lock:
            self.is_used = self.is_used or op in {"call", "set", "del"}
            reply = self._exchange(op, details)
            self._take_changes(reply)
            if "error" in reply:
                raise self._rebuild_error(reply["error"])
            if set(reply) - _OF_REPLY != {"ok"}:
                self._reject()
            return reply

    def value(self, op: str, **details: Any) -> Any:
        """Ask for something and return its value."""
        with self._lock:
            return self._result(self.request(op, **details))

    def call(self, on: Any, name: str | None, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        """Call something in the box; what it changes in its arguments is changed here too."""
        with self._lock:
            packed = [self.pack(item) for item in arguments]
            named = {key: self.pack(item) for key, item in keywords.items()}
            shares = self._share({**dict(enumerate(arguments)), **keywords})
            return self.value("call", on=on, name=name, args=packed, kwargs=named, shares=shares)

    def set(self, on: Any, name: str, value: Any) -> None:
        """Set an attribute of something in the box."""
        with self._lock:
            packed = self.pack(value)
            self.request("set", on=on, name=name, value=packed, shares=self._share({0: value}))

    def new_of(self, kind: type) -> int:
        """Make an object of a test's class that has a student's above it; return its number."""
        made = self.request("new", on=self.class_of(kind))["ok"]
        try:
            return int(made["object"]["id"])
        except _NOT_A_VALUE:
            self._reject()

    def class_of(self, kind: type) -> dict[str, Any]:
        """Return how the box knows a class of the test's, making it there when it is new."""
        with self._lock:
            if kind not in self._derived:
                told = self.request("derive", **recipe(kind, self))["ok"]
                self._derived[kind] = int(told["class"]["id"])
            return {"object": self._derived[kind]}

    def remember(self, number: int, made: proxies.Remote) -> None:
        """Let what the box calls by this number be made from now on."""
        self._known[number] = made
        self._made(made)

    def _share(self, given: Mapping[Any, Any]) -> dict[Any, int]:
        found = {place: self._shared.number_of(item) for place, item in given.items()}
        return {place: number for place, number in found.items() if number is not None}

    def _result(self, reply: dict[str, Any]) -> Any:
        number = reply.get("share")
        if number is not None and (known := self._shared.get(number)) is not None:
            return known
        value = self.unpack(reply["ok"])
        if type(number) is int and number % 2:
            self._shared.add(number, value)
        self._shared.trim()
        return value

    def _take_changes(self, told: dict[str, Any]) -> None:
        try:
            self._shared.take(told.get("changed") or ())
        except _NOT_A_VALUE as error:
            if getattr(error, proxies.STUDENT_MARK, False):
                raise
            self._reject()

    def _exchange(self, op: str, details: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        news = {} if self._mirror is None else {"news": self._mirror.news(self.pack)}
        reply = self.box.ask({"n": number, "op": op, **details, "changed": self._shared.changes(), **news})
        while True:
            self._tell_output()
            if type(reply.get("n")) is not int or reply["n"] != number:
                self.box.end("protocol_error", "The program answered a question that was not asked.")
            if "ask" not in reply:
                return reply
            self._take_changes(reply)
            answer = self._answer(reply["ask"])
            reply = self.box.ask(
                {"n": number, "op": "back", **answer, "changed": self._shared.changes(), **news, "news": ()}
            )

    def _tell_output(self) -> None:
        for which, text in self.box.take_output():
            self._tell(which, text)

    def _reject(self) -> NoReturn:
        self.box.end("bad_reply", "The program's reply is not a reply.")

    # values

    def unpack(self, data: Any) -> Any:
        """Return the value that came out of the box; anything but a value ends it."""
        try:
            return decode(data, self._unpack_special)
        except _NOT_A_VALUE as error:
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
            return self._outgoing.lent(content)
        if tag == "type":
            return _known_type(content)
        raise WireError(tag)

    def _object(self, content: dict[str, Any]) -> Any:
        number = int(content["id"])
        found = self._known.get(number)
        if found is None:
            found = self._derived_object(number, content) or object_of(self, content)
            if isinstance(found, proxies.Remote):
                self.remember(number, found)
        return found

    def _derived_object(self, number: int, content: dict[str, Any]) -> Any:
        kinds = {known: kind for kind, known in self._derived.items()}
        kind = kinds.get(content["class"]["id"])
        return None if kind is None else stand_in(kind, self, number)

    def _rebuild_error(self, content: dict[str, Any]) -> BaseException:
        try:
            if content.get("yours") is not None:
                thrown = self._outgoing.lent(content["yours"])
                return thrown if isinstance(thrown, BaseException) else self._reject()
            return build_error(self, content)
        except _NOT_A_VALUE:
            self._reject()

    # what the student's code asks of the test

    def _answer(self, question: Any) -> dict[str, Any]:
        if not isinstance(question, dict):
            self._reject()
        try:
            found = self._do(question)
            return {"value": self.pack(found), "share": self._shared.number_of(found)}
        except BoxEnded:
            raise
        except _NoInput:
            end = {"exception": [{"type": "builtins.EOFError"}, ["EOF when reading a line"], None]}
            return {"throw": end}
        except BaseException as error:  # noqa: BLE001 - whatever fails here has to be told, not lost
            return {"throw": self._outgoing.error(error)}

    def _do(self, question: dict[str, Any]) -> Any:
        for action in ("call", "get", "set", "next"):
            if action in question:
                return self._use(action, self._outgoing.lent(question[action]), question)
        if "input" in question:
            return _input(str(question["input"]))
        if question.get("stdin") in {"readline", "read"} and _has_stdin():
            return getattr(sys.stdin, question["stdin"])(int(question["size"]))
        return ""

    def _use(self, action: str, lent: Any, question: dict[str, Any]) -> Any:
        if action == "get":
            return lending.read(lent, question["name"])
        if action == "set":
            return lending.write(lent, question["name"], self.unpack(question["value"]))
        if action == "next":
            return _one(lent)
        shares = question.get("shares") or {}
        arguments = [self._given(shares.get(str(index)), item) for index, item in enumerate(question["args"])]
        keywords = {
            str(name): self._given(shares.get(name), item) for name, item in question["kwargs"].items()
        }
        return lending.call(lent, question.get("special"), arguments, keywords)

    def _given(self, number: Any, data: Any) -> Any:
        if number is not None and (known := self._shared.get(number)) is not None:
            return known
        value = self.unpack(data)
        if type(number) is int and number % 2:
            self._shared.add(number, value)
        return value


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


def _known_type(name: object) -> Any:
    """Return a loaded class of the standard library; nothing is imported on a student's word."""
    module = str(name).partition(".")[0]
    path = str(name).rpartition(".")
    found: Any = sys.modules.get(path[0]) if module in sys.stdlib_module_names else None
    kind = getattr(found, path[2], None)
    return kind if isinstance(kind, type) else proxies.NamedType(str(name))
