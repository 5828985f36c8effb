"""What answers inside the sandbox: one request at a time, about the student's modules.

Nothing the student's code does to it decides anything: the trusted side checks each reply and compares every
value itself.
"""

from __future__ import annotations

import marshal
import sys
from _thread import get_ident
from os import _exit, read, write

from app.academic.grading.inside.classes import MUTABLE, SPECIALS, plain_part
from app.academic.grading.inside.surroundings import prepare_streams, refuse_children
from app.academic.grading.inside.values import Values
from app.academic.grading.wire import WireError

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def serve(requests: int, replies: int, code: str, modules: list[str], reply_bytes: int) -> None:
    """Answer requests until the trusted side closes the pipe."""
    sys.path.insert(0, code)
    sys.dont_write_bytecode = True
    harness = _Harness(requests, replies, code, frozenset(modules), reply_bytes)
    prepare_streams(harness.ask)
    refuse_children()
    while (message := harness.receive()) is not None:
        harness.handle(message)


class _Harness:
    """The conversation with the trusted side."""

    def __init__(self, requests: int, replies: int, code: str, modules: frozenset[str], limit: int) -> None:
        self._requests, self._replies, self._limit = requests, replies, limit
        self._values = Values(code, modules, self._call_back)
        self._current: list[int] = []
        self._thread = get_ident()
        self._dumps = _make_dumps()
        self._streams = (sys.stdout, sys.stderr)
        self._operations: dict[str, Callable[[dict[str, Any]], Any]] = {
            "import": self._import,
            "get": lambda message: getattr(self._values.unpack(message["on"]), message["name"]),
            "set": lambda message: setattr(
                self._values.unpack(message["on"]), message["name"], self._values.unpack(message["value"])
            ),
            "del": lambda message: delattr(self._values.unpack(message["on"]), message["name"]),
            "call": self._call,
            "plain": lambda message: plain_part(self._values.unpack(message["on"])),
            "names": lambda message: dir(self._values.unpack(message["on"])),
            "signature": self._signature,
        }

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, or None when the trusted side is done."""
        size = self._read(4)
        if not size:
            return None
        return marshal.loads(self._read(int.from_bytes(size, "big")))  # type: ignore[no-any-return]  # noqa: S302 - written by our own trusted side

    def _read(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size:
            part = read(self._requests, size - len(parts))
            if not part:
                return b""
            parts += part
        return parts

    def handle(self, message: dict[str, Any]) -> None:
        """Do what the message asks and answer it."""
        self._current.append(message["n"])
        mutated: list[Any] = []
        message["mutated"] = mutated
        try:
            result = self._operations[message["op"]](message)
            reply = {"ok": self._pack_result(result, message), "mutated": self._changes(mutated)}
            line = self._line(reply)
        except BaseException as error:  # noqa: BLE001 - whatever fails here has to be told, not lost
            line = self._line_of_error(error)
        self._send(line)
        self._current.pop()

    def _send(self, line: bytes) -> None:
        self._flush()
        view = memoryview(line)
        while view:
            view = view[write(self._replies, view) :]

    def _flush(self) -> None:
        for stream in {*self._streams, sys.stdout, sys.stderr}:
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                continue

    def _line(self, reply: dict[str, Any]) -> bytes:
        line = (self._dumps({"n": self._current[-1], **reply}) + "\n").encode("ascii")
        if len(line) > self._limit:
            raise WireError(
                f"the result is too large to hand over ({len(line)} bytes, at most {self._limit})"
            )
        return line

    def _line_of_error(self, error: BaseException) -> bytes:
        try:
            return self._line({"error": self._values.describe_error(error)})
        except BaseException as second:  # noqa: BLE001 - whatever fails here has to be told, not lost
            plain = RuntimeError(f"an exception that cannot be shown ({type(second).__name__})")
            return self._line({"error": self._values.describe_error(plain)})

    # what is asked

    def _import(self, message: dict[str, Any]) -> None:
        name: str = message["module"]
        if message["again"]:
            for known in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
                del sys.modules[known]
        __import__(name)

    def _call(self, message: dict[str, Any]) -> Any:
        arguments = [self._values.unpack(item) for item in message["args"]]
        keywords = {name: self._values.unpack(item) for name, item in message["kwargs"].items()}
        for place, item in [*enumerate(arguments), *keywords.items()]:
            if type(item) in MUTABLE:
                message["mutated"].append((place, item, self._values.pack(item)))
        return self._callable(message)(*arguments, **keywords)

    def _callable(self, message: dict[str, Any]) -> Any:
        target = self._values.unpack(message["on"])
        name: str | None = message["name"]
        if name is None:
            return target
        if name in SPECIALS and not isinstance(target, type):
            method = getattr(type(target), name)
            return lambda *arguments: method(target, *arguments)
        return getattr(target, name)

    def _changes(self, mutated: list[Any]) -> list[Any]:
        packed = [(place, before, self._values.pack(item)) for place, item, before in mutated]
        return [[place, after] for place, before, after in packed if before != after]

    def _pack_result(self, result: object, message: dict[str, Any]) -> Any:
        for place, item, _ in message["mutated"]:
            if item is result:
                return {"same": place}
        try:
            return self._values.pack(result)
        except WireError as error:
            raise WireError(f"the result ({type(result).__name__}) cannot be handed over: {error}") from None

    def _signature(self, message: dict[str, Any]) -> list[Any]:
        import inspect

        found = inspect.signature(self._values.unpack(message["on"])).parameters.values()
        return [[one.name, one.kind.value, one.default is not one.empty] for one in found]

    # what the student's code asks of the test

    def ask(self, question: dict[str, Any]) -> Any:
        """Put a question to the trusted side while its request is open; return what comes back."""
        if get_ident() != self._thread or not self._current:
            raise RuntimeError("only the main thread can call what the test passed in")
        self._send(self._line({"ask": question}))
        while (message := self.receive()) is not None:
            if message["op"] != "back":
                self.handle(message)
            elif "throw" in message:
                raise self._thrown(message)
            else:
                return self._values.unpack(message["value"])
        return _exit(0)

    def _thrown(self, message: dict[str, Any]) -> BaseException:
        error: object = self._values.unpack(message["throw"])
        if not isinstance(error, BaseException):
            error = RuntimeError(str(error))
        vars(error)["_thrown_by_test"] = message["number"]
        return error

    def _call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        packed = {name: self._values.pack(item) for name, item in keywords.items()}
        return self.ask(
            {"call": number, "args": [self._values.pack(item) for item in arguments], "kwargs": packed}
        )


def _make_dumps() -> Callable[[Any], str]:
    try:
        from _json import encode_basestring_ascii, make_encoder

        chunks = make_encoder(None, repr, encode_basestring_ascii, None, ":", ",", False, False, True)
        chunks({"n": [1.5, "x"]}, 0)
    except (ImportError, TypeError):
        import json

        return json.dumps
    return lambda value: "".join(chunks(value, 0))
