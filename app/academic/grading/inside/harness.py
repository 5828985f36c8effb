"""What answers inside the sandbox: one request at a time, about the student's modules.

Nothing the student's code does to it decides anything: the trusted side checks each reply and compares every
value itself.
"""

from __future__ import annotations

import marshal
import sys
from _thread import get_ident
from os import _exit, getcwd, read, write

from app.academic.grading.inside.beside import run_beside
from app.academic.grading.inside.classes import SPECIALS, has_special, plain_part
from app.academic.grading.inside.derived import derive, inherited, members
from app.academic.grading.inside.files import SharedFolder
from app.academic.grading.inside.surroundings import (
    Reflected,
    prepare_streams,
    refuse_children,
    restore_input,
)
from app.academic.grading.inside.values import Values
from app.academic.grading.sharing import Shared
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
        self._values = Values(code, modules, self.ask)
        self._shared = Shared(self._values.pack, self._values.unpack, 1)
        self._folder = SharedFolder(getcwd() + "/shared")  # noqa: PTH109 - pathlib costs 4 ms
        self._reflected = Reflected(self._values.unpack)
        self._current: list[int] = []
        self._thread = get_ident()
        self._dumps = _make_dumps()
        self._loop: Any = None
        self._streams = (sys.stdout, sys.stderr)
        self._operations: dict[str, Callable[[dict[str, Any]], Any]] = {
            "import": self._import,
            "get": lambda message: getattr(self._values.unpack(message["on"]), message["name"]),
            "set": self._set,
            "await": self._await,
            "beside": self._beside,
            "del": lambda message: delattr(self._values.unpack(message["on"]), message["name"]),
            "call": self._call,
            "plain": lambda message: plain_part(self._values.unpack(message["on"])),
            "public": lambda message: _public(self._values.unpack(message["on"])),
            "names": lambda message: dir(self._values.unpack(message["on"])),
            "signature": self._signature,
            "members": self._members,
            "derive": self._derive,
            "new": lambda message: (kind := self._values.unpack(message["on"])).__new__(kind),
            "inherited": lambda message: inherited(
                self._values.unpack(message["on"]), self._values.unpack(message["base"]), message["name"]
            ),
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
        try:
            self._take(message)
            result = self._operations[message["op"]](message)
            line = self._line({"ok": self._pack_result(result), **self._told(result)})
        except BaseException as error:  # noqa: BLE001 - whatever fails here has to be told, not lost
            line = self._line_of_error(error)
        self._shared.trim()
        self._send(line)
        self._current.pop()

    def _take(self, message: dict[str, Any]) -> None:
        """Learn what changed on the tests' side since the last message."""
        if files := message.get("files"):
            self._folder.put(files)
        for item in message.get("news") or ():
            self._reflected.take(*item)
        self._shared.take(message.get("changed") or ())

    def _told(self, result: object = None) -> dict[str, Any]:
        """Return what changed on this side, and by which number a container is known."""
        share = self._shared.number_of(result)
        told = {"changed": self._shared.changes(), "share": share, "files": self._folder.changes()}
        return {name: value for name, value in told.items() if value or value == 0}

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
            return self._line({"error": self._values.describe_error(error), **self._told()})
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
        shares = message.get("shares") or {}
        arguments = [self._given(shares.get(index), item) for index, item in enumerate(message["args"])]
        keywords = {name: self._given(shares.get(name), item) for name, item in message["kwargs"].items()}
        return self._callable(message)(*arguments, **keywords)

    def _set(self, message: dict[str, Any]) -> None:
        value = self._given(message["shares"].get(0), message["value"])
        setattr(self._values.unpack(message["on"]), message["name"], value)

    def _beside(self, message: dict[str, Any]) -> int:
        restore_input()
        return run_beside(message, self.ask)

    def _await(self, message: dict[str, Any]) -> Any:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        awaited = self._values.unpack(message["on"])

        async def wait() -> Any:
            return await awaited

        return self._loop.run_until_complete(wait())

    def _given(self, number: int | None, data: Any) -> Any:
        """Return what the test gave: the very container it gave before, where there is one."""
        if number is not None and (known := self._shared.get(number)) is not None:
            return known
        value = self._values.unpack(data)
        if number is not None:
            self._shared.add(number, value)
        return value

    def _callable(self, message: dict[str, Any]) -> Any:
        target = self._values.unpack(message["on"])
        name: str | None = message["name"]
        if name is None:
            return target
        if name in SPECIALS and not isinstance(target, type):
            method = getattr(type(target), name)
            return lambda *arguments: method(target, *arguments)
        return getattr(target, name)

    def _pack_result(self, result: object) -> Any:
        try:
            return self._values.pack(result)
        except WireError as error:
            raise WireError(f"the result ({type(result).__name__}) cannot be handed over: {error}") from None

    def _members(self, message: dict[str, Any]) -> Any:
        kind = self._values.unpack(message["on"])
        return members(kind, [name for name in SPECIALS if has_special(kind, name)])

    def _derive(self, message: dict[str, Any]) -> Any:
        body = {name: self._values.unpack(item) for name, item in message["body"].items()}
        bases = tuple(self._values.unpack(item) for item in message["bases"])
        return derive(message["name"], bases, body)

    def _signature(self, message: dict[str, Any]) -> list[Any]:
        import inspect

        found = inspect.signature(self._values.unpack(message["on"])).parameters.values()
        return [[one.name, one.kind.value, one.default is not one.empty] for one in found]

    # what the student's code asks of the test

    def ask(self, question: dict[str, Any]) -> Any:
        """Put a question to the trusted side while its request is open; return what comes back."""
        if get_ident() != self._thread or not self._current:
            raise RuntimeError("only the main thread can call what the test passed in")
        self._send(self._line({"ask": self._sharing(question), **self._told()}))
        while (message := self.receive()) is not None:
            if message["op"] != "back":
                self.handle(message)
                continue
            self._take(message)
            if "throw" in message:
                raise self._thrown(message)
            return self._given(message.get("share"), message["value"])
        return _exit(0)

    def _sharing(self, question: dict[str, Any]) -> dict[str, Any]:
        given = question.pop("mutable", None) or {}
        found = {str(place): self._shared.number_of(item) for place, item in given.items()}
        shares = {place: number for place, number in found.items() if number is not None}
        return {**question, "shares": shares} if shares else question

    def _thrown(self, message: dict[str, Any]) -> BaseException:
        error: object = self._values.unpack(message["throw"])
        return error if isinstance(error, BaseException) else RuntimeError(str(error))


def _public(module: Any) -> list[str]:
    """Return what `import *` brings, but for other modules."""
    found = vars(module)
    usual = [
        name for name, value in found.items() if not name.startswith("_") and not isinstance(value, type(sys))
    ]
    return list(found.get("__all__", usual))


def _make_dumps() -> Callable[[Any], str]:
    try:
        from _json import encode_basestring_ascii, make_encoder

        chunks = make_encoder(None, repr, encode_basestring_ascii, None, ":", ",", False, False, True)
        chunks({"n": [1.5, "x"]}, 0)
    except (ImportError, TypeError):
        import json

        return json.dumps
    return lambda value: "".join(chunks(value, 0))
