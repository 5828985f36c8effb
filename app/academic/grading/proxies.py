"""What the tests hold in place of the student's functions, classes and objects.

A proxy forwards to the box. With one exception: an object that came *out of* the student's code is never
asked to compare or combine itself with a plain value of the test's. It would see what is
expected, and could lie. An object the test itself made, by calling the class, is asked: its operators
are what is tested.
"""

from __future__ import annotations

import functools
import inspect
import operator
import types
from typing import TYPE_CHECKING, Any

from app.academic.grading.channel import BoxEnded
from app.academic.grading.student_errors import MARK, error_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.academic.grading.conversation import Conversation

STUDENT_MARK = MARK
_IMMUTABLE: dict[str, type] = {
    kind.__name__: kind for kind in (int, float, complex, str, bytes, tuple, frozenset)
}
_MUTABLE: dict[str, type] = {kind.__name__: kind for kind in (list, dict, set, bytearray)}
_REFUSAL = (
    "this test combines or compares an object returned by the student's program with a value of the "
    "test; the object is not asked, because it would see the value: compare its attributes or its str()"
)
_COMPARISONS = {"__eq__": operator.eq, "__ne__": operator.ne, "__lt__": operator.lt, "__le__": operator.le,
                "__gt__": operator.gt, "__ge__": operator.ge, "__contains__": operator.contains}  # fmt: skip
_OPERATORS = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift"
_BINARY = frozenset(f"__{prefix}{name}__" for name in _OPERATORS.split() for prefix in ("", "r", "i"))
_OWN_NAMES = frozenset({"__class__", "__dict__", "__slots__", "__weakref__", "__wrapped__", "__test__"})


def _no_run() -> Conversation:
    raise RuntimeError("no tests are running")


# Replaced by the session: gives the conversation of the running test.
current: Callable[[], Conversation] = _no_run


class Remote:
    """Something in a box: by number while that box lives, by path in any box."""

    __slots__ = ("__weakref__", "_conversation", "_is_ours", "_known", "_name", "_number", "_path")

    def __init__(
        self, conversation: Conversation | None, number: int, name: str, path: tuple[str, ...] | None = None
    ) -> None:
        for slot, value in (
            ("_conversation", conversation),
            ("_number", number),
            ("_name", name),
            ("_path", path),
            ("_is_ours", False),
            ("_known", {}),
        ):
            object.__setattr__(self, slot, value)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN_NAMES or name.startswith(("__pytest", "_pytest", "pytest")):
            raise AttributeError(name)
        conversation = conversation_of(self)
        found = conversation.value("get", on=target_of(self, conversation), name=name)
        return _with_path(self, name, found)

    def __setattr__(self, name: str, value: Any) -> None:
        conversation = conversation_of(self)
        conversation.request(
            "set", on=target_of(self, conversation), name=name, value=conversation.pack(value)
        )

    def __delattr__(self, name: str) -> None:
        conversation = conversation_of(self)
        conversation.request("del", on=target_of(self, conversation), name=name)

    def __dir__(self) -> list[str]:
        conversation = conversation_of(self)
        return [str(name) for name in conversation.value("names", on=target_of(self, conversation))]

    def __repr__(self) -> str:
        return _described(self, "__repr__", f"<{_get(self, '_name')} of the student's program>")

    def __str__(self) -> str:
        return _described(self, "__str__", f"<{_get(self, '_name')} of the student's program>")

    def __format__(self, form: str) -> str:
        return str(_forward(self, "__format__", (form,)))

    def __reduce_ex__(self, _protocol: object) -> Any:
        raise TypeError("an object of the student's program cannot be pickled or copied in the tests")

    def __copy__(self) -> Any:
        return _copied(self, "copy")

    def __deepcopy__(self, _memo: object) -> Any:
        return _copied(self, "deepcopy")


class RemoteCallable(Remote):
    """A function or bound method of the student's."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102 - as Python calls it
        conversation = conversation_of(self)
        return conversation.call(target_of(self, conversation), None, arguments, keywords)

    @property
    def __signature__(self) -> inspect.Signature:
        conversation = conversation_of(self)
        found = conversation.value("signature", on=target_of(self, conversation))
        return inspect.Signature([_parameter(*one) for one in found])

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return self.__getattr__("__doc__")


class RemoteClass(RemoteCallable):
    """A class of the student's: calling it makes an object that belongs to the test."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102 - as Python calls it
        made = super().__call__(*arguments, **keywords)
        if isinstance(made, Remote):
            object.__setattr__(made, "_is_ours", True)
        return made

    @property  # type: ignore[misc]  # object's is writable; a proxy's says what it stands for
    def __class__(self) -> Any:
        return type

    @property
    def __name__(self) -> str:
        return str(_get(self, "_name")).rpartition(".")[2]

    def __instancecheck__(self, other: object) -> bool:
        return list(_get(self, "_path") or ()) in [[*one] for one in _names_of(other)]

    def __subclasscheck__(self, other: object) -> bool:
        names = _get(other, "_known").get("names", ()) if type(other) is RemoteClass else ()
        return list(_get(self, "_path") or ()) in [[*one] for one in names]

    def __mro_entries__(self, _bases: object) -> Any:
        raise TypeError("a test cannot derive a class from a class of the student's program")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, type) and type(other) is type:
            return bool(vars(other).get("__student_path__") == _get(self, "_path"))
        return type(other) is RemoteClass and _get(self, "_path") == _get(other, "_path")

    def __hash__(self) -> int:
        return hash(_get(self, "_path"))

    def __iter__(self) -> Iterator[Any]:
        found: Iterator[Any] = _of_builtin(self, "builtins", "iter")
        return found

    def __len__(self) -> int:
        return int(_of_builtin(self, "builtins", "len"))

    def __getitem__(self, key: Any) -> Any:
        return _of_builtin(self, "operator", "getitem", key)

    def __contains__(self, key: Any) -> bool:
        return bool(_of_builtin(self, "operator", "contains", key))

    def __bool__(self) -> bool:
        return True

    def __or__(self, other: Any) -> Any:
        return (self, *other) if isinstance(other, tuple) else (self, other)


class Unresolved(RemoteCallable):
    """A name the student's module does not have, or cannot give: fails when it is used."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102 - as Python calls it
        module, name = _get(self, "_path")
        return getattr(current_module(module), name)(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN_NAMES or name.startswith(("__", "_pytest", "pytest")):
            raise AttributeError(name)
        module, own = _get(self, "_path")
        return getattr(getattr(current_module(module), own), name)

    def __repr__(self) -> str:
        return f"<{_get(self, '_name')} of the student's program>"

    __str__ = __repr__


class NamedType:
    """A type that came back and is not known here; equal to itself by name."""

    def __init__(self, name: str) -> None:
        self.__name__ = name.rpartition(".")[2]
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedType) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<class '{self.name}'>"


def current_module(name: str) -> Any:
    """Return the student's module as the running test may use it: without leniency."""
    import sys

    return sys.modules[name]


def conversation_of(remote: Remote) -> Conversation:
    """Return where to ask about remote: what has a path lives in the running test's box too."""
    own: Conversation = _get(remote, "_conversation")
    if _get(remote, "_path") is None:
        return own
    return current()


def target_of(value: object, conversation: Conversation) -> dict[str, Any] | None:
    """Return how the box knows value, or None when it is not a proxy."""
    if isinstance(value, PlainRemote):
        value = value.__remote__
    if not issubclass(type(value), Remote):
        path = path_of_class(value) if isinstance(value, type) else None
        return None if path is None else {"path": path}
    if _get(value, "_conversation") is conversation and _get(value, "_number") >= 0:
        return {"object": _get(value, "_number")}
    if (own := _get(value, "_path")) is not None:
        return {"path": list(own)}
    raise TypeError(
        f"{_get(value, '_name')} was made in another test, and each test has a fresh program: "
        "make it in this test or in a fixture of the right scope"
    )


def path_of_class(kind: type) -> list[str] | None:
    """Return the path of an exception class made for the student's, None for others."""
    path = vars(kind).get("__student_path__") if type(kind) is type else None
    return None if path is None else list(path)


def class_of(conversation: Conversation, content: dict[str, Any]) -> Any:
    """Return the proxy of a class; for an exception, a real exception class."""
    names = [(str(module), str(name)) for module, name in content["names"]]
    if ("builtins", "BaseException") in names:
        return error_class(content)
    remote = RemoteClass(conversation, int(content["id"]), names[0][1], names[0])
    _get(remote, "_known")["names"] = names
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
    _get(remote, "_known").update(names=names, base=described["base"])
    if "plain" in content:
        return _plain_remote(remote, str(described["base"]), conversation.unpack(content["plain"]))
    return remote


class PlainRemote:
    """A number or text of a student's class: a real one of its base, with the student's attributes."""

    __remote__: Remote

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return getattr(self.__remote__, name)

    def __repr__(self) -> str:
        return repr(self.__remote__)

    def __str__(self) -> str:
        return str(self.__remote__)


def _plain_remote(remote: Remote, base: str, value: Any) -> Any:
    if type(value) is not _IMMUTABLE[base]:
        raise TypeError(base)
    made = _plain_type(base, str(_get(remote, "_name")))(value)
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
        body[special] = _special_method(special)
    if "__eq__" not in body:
        body["__eq__"], body["__hash__"] = _equal_by_base, object.__hash__
    elif is_unhashable:
        body["__hash__"] = None
    elif "__hash__" not in specials:
        body["__hash__"] = object.__hash__
    return type(path[1].rpartition(".")[2], (Remote,), body)


def _special_method(name: str) -> Any:
    if name in _COMPARISONS or name in _BINARY:
        return lambda self, *others: _combine(self, name, others)

    def method(self: Remote, *arguments: Any, **keywords: Any) -> Any:
        return _forward(self, name, arguments, keywords)

    method.__name__ = name
    return method


def _combine(remote: Remote, name: str, others: tuple[Any, ...]) -> Any:
    if _get(remote, "_is_ours") or all(issubclass(type(other), Remote) for other in others):
        return _forward(remote, name, others)
    base = _get(remote, "_known").get("base")
    if base is not None:
        conversation = conversation_of(remote)
        plain = conversation.value("plain", on=target_of(remote, conversation))
        compare: Any = _COMPARISONS.get(name)
        return getattr(plain, name)(*others) if compare is None else compare(plain, others[0])
    if name in {"__eq__", "__ne__"}:
        return name == "__ne__"
    if name == "__contains__":
        return any(item is others[0] or item == others[0] for item in _iterate(remote))
    raise TypeError(_REFUSAL)


def _equal_by_base(remote: Remote, other: object) -> Any:
    if remote is other:
        return True
    if _get(remote, "_known").get("base") is None or issubclass(type(other), Remote):
        return NotImplemented
    return _combine(remote, "__eq__", (other,))


def _of_builtin(remote: Remote, module: str, name: str, *arguments: Any) -> Any:
    return conversation_of(remote).call({"path": [module, name]}, None, (remote, *arguments), {})


def _iterate(remote: Any) -> Iterator[Any]:
    if not hasattr(type(remote), "__iter__") and not hasattr(type(remote), "__getitem__"):
        raise TypeError(_REFUSAL)
    return iter(remote)


def _forward(
    remote: Remote, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None
) -> Any:
    conversation = conversation_of(remote)
    return conversation.call(target_of(remote, conversation), name, arguments, keywords or {})


def _described(remote: Remote, name: str, fallback: str) -> str:
    conversation: Conversation = _get(remote, "_conversation")
    if not conversation.box.is_alive:
        return fallback
    try:
        return str(_forward(remote, name, ()))
    except (BoxEnded, TypeError):
        return fallback


def _copied(remote: Remote, name: str) -> Any:
    conversation = conversation_of(remote)
    copied = conversation.call({"path": ["copy", name]}, None, (remote,), {})
    if isinstance(copied, Remote):
        object.__setattr__(copied, "_is_ours", _get(remote, "_is_ours"))
    return copied


def _with_path(owner: Remote, name: str, found: Any) -> Any:
    """Let a function found in a class be found again in another box."""
    path = _get(owner, "_path")
    if path is not None and type(found) is RemoteCallable:
        object.__setattr__(found, "_path", (path[0], f"{'.'.join(path[1:])}.{name}".lstrip(".")))
    return found


def _names_of(value: object) -> Any:
    if isinstance(value, PlainRemote):
        value = value.__remote__
    return _get(value, "_known").get("names", ()) if issubclass(type(value), Remote) else ()


def _parameter(name: str, kind: int, has_default: bool) -> inspect.Parameter:  # noqa: FBT001 - as its caller passes it
    default = ... if has_default else inspect.Parameter.empty
    return inspect.Parameter(str(name), inspect._ParameterKind(kind), default=default)  # noqa: SLF001 - it has no public name


def _get(remote: object, slot: str) -> Any:
    return object.__getattribute__(remote, slot)
