"""The proxy for what came out of the box: its class is made from what the box told of the student's."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any

from app.academic.grading.class_proxies import RemoteClass
from app.academic.grading.operators import equal_by_base, special_method
from app.academic.grading.proxies import PlainRemote, Remote, RemoteCallable, slot_of
from app.academic.grading.student_errors import error_class

if TYPE_CHECKING:
    from app.academic.grading.conversation import Conversation

_IMMUTABLE: dict[str, type] = {
    kind.__name__: kind for kind in (int, float, complex, str, bytes, tuple, frozenset)
}
_MUTABLE: dict[str, type] = {kind.__name__: kind for kind in (list, dict, set, bytearray)}
_AWAITABLE = frozenset(
    {("builtins", name) for name in ("coroutine", "async_generator_asend", "async_generator_athrow")}
)


def class_of(conversation: Conversation, content: dict[str, Any]) -> Any:
    """Return the proxy of a class; for an exception, a real exception class."""
    names = [(str(module), str(name)) for module, name in content["names"]]
    if ("builtins", "BaseException") in names:
        return error_class(content)
    remote = RemoteClass(conversation, int(content["id"]), names[0][1], names[0])
    slot_of(remote, "_known")["names"] = names
    return remote


def object_of(conversation: Conversation, content: dict[str, Any]) -> Any:
    """Return the proxy of an object or function."""
    number, described = int(content["id"]), content["class"]
    if "function" in content:
        return RemoteCallable(conversation, number, str(content["function"]))
    names = tuple((str(module), str(name)) for module, name in described["names"])
    specials = tuple(str(name) for name in described["specials"])
    kind = _object_type(names[0], specials, described["base"], is_unhashable=bool(described["unhashable"]))
    remote: Remote = kind(conversation, number, names[0][1])
    slot_of(remote, "_known").update(names=names, base=described["base"])
    if names[0] in _AWAITABLE:
        return _awaited(conversation, remote)
    if "plain" in content:
        return _plain_remote(remote, str(described["base"]), conversation.unpack(content["plain"]))
    return remote


async def _awaited(conversation: Conversation, remote: Remote) -> Any:
    """Run the student's coroutine to its end when the test awaits it."""
    return conversation.value("await", on={"object": slot_of(remote, "_number")})


def _plain_remote(remote: Remote, base: str, value: Any) -> Any:
    if type(value) is not _IMMUTABLE[base]:
        raise TypeError(base)
    made = _plain_type(base, str(slot_of(remote, "_name")))(value)
    made.__dict__["__remote__"] = remote
    return made


@functools.cache
def _plain_type(base: str, name: str) -> Any:
    return type(name.rpartition(".")[2], (PlainRemote, _IMMUTABLE[base]), {"__module__": "solution"})


@functools.cache
def _object_type(
    path: tuple[str, str], specials: tuple[str, ...], base: str | None, *, is_unhashable: bool
) -> type[Remote]:
    body: dict[str, Any] = {"__slots__": (), "__module__": path[0], "__student_path__": path}
    if path == ("builtins", "generator") or base in _MUTABLE:
        # isinstance() asks for it: a student's kind of list is a list, and its generator a generator.
        body["__class__"] = property(lambda _: types.GeneratorType if base is None else _MUTABLE[base])
    for special in specials:
        body[special] = special_method(special)
    if "__eq__" not in body:
        body["__eq__"], body["__hash__"] = equal_by_base, object.__hash__
    elif is_unhashable:
        body["__hash__"] = None
    elif "__hash__" not in specials:
        body["__hash__"] = object.__hash__
    return type(path[1].rpartition(".")[2], (Remote,), body)
