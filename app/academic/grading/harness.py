"""What answers inside the sandbox: one request at a time, about the student's modules.

Runs in one namespace with wire.py, without the rest of the site. Nothing the student's code does to it
decides anything: the trusted side checks each reply and compares every value itself.
"""

from __future__ import annotations

import builtins
import marshal
import os
import posix
import sys
from _thread import get_ident
from os import _exit, read, write

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Any

    from app.academic.grading.wire import WireError, decode, encode  # noqa: TC004 - the launcher joins both files

_MUTABLE = (list, dict, set, bytearray)
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: b"".join([value, b""]),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    list: lambda value: list(list.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    bytearray: bytearray,
}
_SPECIAL_NAMES = """
    call len iter next reversed contains getitem setitem delitem enter exit eq ne lt le gt ge hash
    bool int float complex index abs neg pos invert round trunc floor ceil add radd iadd sub rsub
    isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv ifloordiv mod rmod imod divmod
    rdivmod pow rpow ipow matmul rmatmul imatmul and rand iand or ror ior xor rxor ixor lshift
    rlshift ilshift rshift rrshift irshift
"""
_SPECIALS = tuple(f"__{name}__" for name in _SPECIAL_NAMES.split())
_NO_CHILDREN = "starting other processes is not allowed here: a submission runs as a single process"
_CHILD_MODULES = ("/multiprocessing/", "/subprocess.py", "/concurrent/futures/process.py")
_TEXT_LIMIT, _TRACE_LINES = 4000, 10


def serve(requests: int, replies: int, code: str, modules: list[str], reply_bytes: int) -> None:
    """Answer requests until the trusted side closes the pipe."""
    sys.path.insert(0, code)
    sys.dont_write_bytecode = True
    harness = _Harness(requests, replies, code, frozenset(modules), reply_bytes)
    _prepare_streams(harness)
    _refuse_children()
    while (message := harness.receive()) is not None:
        harness.handle(message)


class _Harness:
    """The conversation with the trusted side, and the objects it knows by number."""

    def __init__(self, requests: int, replies: int, code: str, modules: frozenset[str], limit: int) -> None:
        self._requests, self._replies, self._limit = requests, replies, limit
        self._code, self._modules = code, modules
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._current: list[int] = []
        self._thread = get_ident()
        self._dumps = _make_dumps()
        self._streams = (sys.stdout, sys.stderr)
        self._operations: dict[str, Callable[[dict[str, Any]], Any]] = {
            "import": self._import,
            "get": lambda message: getattr(self._value(message["on"]), message["name"]),
            "set": lambda message: setattr(
                self._value(message["on"]), message["name"], self._value(message["value"])
            ),
            "del": lambda message: delattr(self._value(message["on"]), message["name"]),
            "call": self._call,
            "plain": lambda message: _plain_part(self._value(message["on"])),
            "names": lambda message: dir(self._value(message["on"])),
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
            return self._line({"error": self._describe_error(error)})
        except BaseException as second:  # noqa: BLE001 - whatever fails here has to be told, not lost
            plain = RuntimeError(f"an exception that cannot be shown ({type(second).__name__})")
            return self._line({"error": self._describe_error(plain)})

    # what is asked

    def _import(self, message: dict[str, Any]) -> None:
        name: str = message["module"]
        if message["again"]:
            for known in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
                del sys.modules[known]
        __import__(name)

    def _call(self, message: dict[str, Any]) -> Any:
        arguments = [self._value(item) for item in message["args"]]
        keywords = {name: self._value(item) for name, item in message["kwargs"].items()}
        for place, item in [*enumerate(arguments), *keywords.items()]:
            if type(item) in _MUTABLE:
                message["mutated"].append((place, item, self._pack(item)))
        return self._callable(message)(*arguments, **keywords)

    def _callable(self, message: dict[str, Any]) -> Any:
        target = self._value(message["on"])
        name: str | None = message["name"]
        if name is None:
            return target
        if name in _SPECIALS and not isinstance(target, type):
            method = getattr(type(target), name)
            return lambda *arguments: method(target, *arguments)
        return getattr(target, name)

    def _changes(self, mutated: list[Any]) -> list[Any]:
        packed = [(place, before, self._pack(item)) for place, item, before in mutated]
        return [[place, after] for place, before, after in packed if before != after]

    def _pack_result(self, result: object, message: dict[str, Any]) -> Any:
        for place, item, _ in message["mutated"]:
            if item is result:
                return {"same": place}
        try:
            return self._pack(result)
        except WireError as error:
            raise WireError(f"the result ({type(result).__name__}) cannot be handed over: {error}") from None

    def _signature(self, message: dict[str, Any]) -> list[Any]:
        import inspect

        found = inspect.signature(self._value(message["on"])).parameters.values()
        return [[one.name, one.kind.value, one.default is not one.empty] for one in found]

    # values

    def _pack(self, value: object) -> Any:
        return encode(value, self._pack_special)

    def _pack_special(self, value: object, depth: int) -> Any:
        if isinstance(value, _Callback):
            return {"yours": value.number}
        if isinstance(value, type):
            return self._pack_class(value)
        if isinstance(value, BaseException):
            return {"exception": self._describe_error(value)}
        described: dict[str, Any] = {"id": self._number(value)}
        for name in ("function", "builtin_function_or_method", "method", "method-wrapper"):
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
            described["plain"] = encode(_plain_part(value), self._pack_special, depth + 1)
        return {"object": described}

    def _pack_class(self, value: type) -> Any:
        if value.__module__.partition(".")[0] in self._modules:
            return {"class": self._describe_class(value)}
        return {"type": f"{value.__module__}.{value.__qualname__}"}

    def _describe_class(self, kind: type) -> dict[str, Any]:
        return {
            "id": self._number(kind),
            "names": _names(type.mro(kind)),
            "parents": [_names(one.__bases__) for one in type.mro(kind)[:-1]][:30] if _is_error(kind) else [],
            "specials": [name for name in _SPECIALS if _has(kind, name)],
            "unhashable": kind.__hash__ is None,
            "base": next((base.__name__ for base in _PLAIN if issubclass(kind, base)), None),
        }

    def _describe_error(self, error: BaseException) -> dict[str, Any]:
        return {
            "class": self._describe_class(type(error)),
            "id": self._number(error),
            "args": [self._pack_argument(item) for item in error.args[:20]],
            "message": str(error)[:_TEXT_LIMIT],
            "trace": _trace(error, self._code)[-_TEXT_LIMIT:],
            "yours": getattr(error, "_thrown_by_test", None),
        }

    def _pack_argument(self, item: object) -> Any:
        if type(item) in (str, bytes):
            item = item[:_TEXT_LIMIT]  # type: ignore[index]
        try:
            return self._pack(item)
        except WireError:
            return repr(item)[:_TEXT_LIMIT]

    def _number(self, value: object) -> int:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._objects)
            self._objects[len(self._objects)] = value
        return self._numbers[id(value)]

    def _value(self, data: Any) -> Any:
        return decode(data, self._special_value)

    def _special_value(self, tag: str, content: Any) -> Any:
        if tag == "object":
            return self._objects[content]
        if tag == "path":
            return _follow(content)
        if tag == "callback":
            return _Callback(self, content)
        if tag == "iterator":
            return _callback_iterator(_Callback(self, content))
        if tag == "type":
            return _follow(content.rsplit(".", 1))
        if tag == "exception":
            return self._value(content[0])(*[self._value(item) for item in content[1]])
        raise WireError(f"unknown kind of value: {tag}")

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
                return self._value(message["value"])
        return _exit(0)

    def _thrown(self, message: dict[str, Any]) -> BaseException:
        error: object = self._value(message["throw"])
        if not isinstance(error, BaseException):
            error = RuntimeError(str(error))
        vars(error)["_thrown_by_test"] = message["number"]
        return error

    def call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call what the test passed in under this number."""
        packed = {name: self._pack(item) for name, item in keywords.items()}
        return self.ask({"call": number, "args": [self._pack(item) for item in arguments], "kwargs": packed})


class _Callback:
    """Something callable of the test's, as the student's code sees it."""

    def __init__(self, harness: _Harness, number: int) -> None:
        self._harness, self.number = harness, number

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._harness.call_back(self.number, arguments, keywords)


def _callback_iterator(following: _Callback) -> Iterator[Any]:
    while True:
        found = following()
        if not found:
            return
        yield found[0]


class _Input:
    """Standard input: what the test gives, or the end of the file."""

    encoding, errors, closed, name = "utf-8", "strict", False, "<stdin>"

    def __init__(self, harness: _Harness) -> None:
        self._harness = harness

    def readline(self, size: int = -1) -> str:
        return str(self._harness.ask({"stdin": "readline", "size": size}))

    def read(self, size: int = -1) -> str:
        return str(self._harness.ask({"stdin": "read", "size": size}))

    def readlines(self, _hint: int = -1) -> list[str]:
        return list(self)

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        """Leave it open, as there is nothing to free."""

    def __iter__(self) -> _Input:
        return self

    def __next__(self) -> str:
        if line := self.readline():
            return line
        raise StopIteration


def _prepare_streams(harness: _Harness) -> None:
    for stream in (sys.stdout, sys.stderr):
        # Line buffered: what is printed just before os._exit would be lost otherwise.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]

    def ask_for_line(prompt: object = "", /) -> str:
        return str(harness.ask({"input": str(prompt)}))

    ask_for_line.__name__ = "input"
    builtins.input = ask_for_line
    sys.stdin = _Input(harness)


def _refuse_children() -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, _NO_CHILDREN)

    for name in ("fork", "forkpty", "system", "posix_spawn", "posix_spawnp", "execv", "execve"):
        for module in (os, posix):
            if hasattr(module, name):
                setattr(module, name, refuse)


def _make_dumps() -> Callable[[Any], str]:
    try:
        from _json import encode_basestring_ascii, make_encoder

        chunks = make_encoder(None, repr, encode_basestring_ascii, None, ":", ",", False, False, True)
        chunks({"n": [1.5, "x"]}, 0)
    except (ImportError, TypeError):
        import json

        return json.dumps
    return lambda value: "".join(chunks(value, 0))


def _plain_part(value: object) -> Any:
    for base, part in _PLAIN.items():
        if isinstance(value, base):
            return part(value)
    return None


def _names(kinds: Iterable[type]) -> list[list[str]]:
    return [[str(one.__module__), str(one.__qualname__)] for one in kinds if one is not object][:30]


def _is_error(kind: type) -> bool:
    return issubclass(kind, BaseException)


def _has(kind: type, name: str) -> bool:
    for one in type.mro(kind):
        if name in vars(one):
            return one is not object and vars(one)[name] is not None
    return False


def _follow(path: list[str]) -> Any:
    found: Any = sys.modules.get(path[0])
    if found is None:
        found = __import__(path[0], fromlist=["_"])
    for name in ".".join(path[1:]).split(".") if path[1:] else ():
        found = getattr(found, name)
    return found


def _trace(error: BaseException, code: str) -> str:
    lines, at = [], error.__traceback__
    children = isinstance(error, PermissionError) and _NO_CHILDREN in str(error)
    while at is not None:
        path = at.tb_frame.f_code.co_filename
        children = children or any(part in path for part in _CHILD_MODULES)
        if path.startswith(code):
            lines.append(_trace_line(at, path, code))
        at = at.tb_next
    if isinstance(error, SyntaxError):
        where = str(error.filename).removeprefix(code).strip("/")
        lines.append(f"{where}, line {error.lineno}: {error.text or ''}".rstrip())
    if children:
        lines.append(f"({_NO_CHILDREN}; subprocess and multiprocessing cannot be used)")
    return "\n".join(
        [*lines[:5], *(["..."] if len(lines) > _TRACE_LINES else []), *lines[5:][-_TRACE_LINES:]]
    )


def _trace_line(at: TracebackType, path: str, code: str) -> str:
    name = at.tb_frame.f_code.co_name
    text = ""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:  # noqa: PTH123 - runs alone, and pathlib costs 4 ms
            text = source.read(1 << 20).split("\n")[at.tb_lineno - 1].strip()[:200]
    except (OSError, IndexError):
        text = ""
    where = path.removeprefix(code).strip("/")
    return f"{where}, line {at.tb_lineno}, in {name}: {text}"
