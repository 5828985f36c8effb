"""What the tests hold in place of the student's functions, classes and objects.

A proxy forwards to the box. With one exception: an object that came *out of* the student's code is never
asked to compare or combine itself with a plain value of the test's. It would see what is
expected, and could lie. An object the test itself made, by calling the class, is asked: its operators
are what is tested.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from app.academic.grading.endings import BoxEnded
from app.academic.grading.student_errors import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.academic.grading.conversation import Conversation

STUDENT_MARK = MARK
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
        conversation.set(target_of(self, conversation), name, value)

    def __delattr__(self, name: str) -> None:
        conversation = conversation_of(self)
        conversation.request("del", on=target_of(self, conversation), name=name)

    def __dir__(self) -> list[str]:
        conversation = conversation_of(self)
        return [str(name) for name in conversation.value("names", on=target_of(self, conversation))]

    def __repr__(self) -> str:
        return _described(self, "__repr__", f"<{slot_of(self, '_name')} of the student's program>")

    def __str__(self) -> str:
        return _described(self, "__str__", f"<{slot_of(self, '_name')} of the student's program>")

    def __format__(self, form: str) -> str:
        return str(forward(self, "__format__", (form,)))

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


class Unresolved(RemoteCallable):
    """A name the student's module does not have, or cannot give: fails when it is used."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102 - as Python calls it
        module, name = slot_of(self, "_path")
        return getattr(current_module(module), name)(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN_NAMES or name.startswith(("__", "_pytest", "pytest")):
            raise AttributeError(name)
        module, own = slot_of(self, "_path")
        return getattr(getattr(current_module(module), own), name)

    def __repr__(self) -> str:
        return f"<{slot_of(self, '_name')} of the student's program>"

    __str__ = __repr__


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
    own: Conversation = slot_of(remote, "_conversation")
    if slot_of(remote, "_path") is None:
        return own
    return current()


def target_of(value: object, conversation: Conversation) -> dict[str, Any] | None:
    """Return how the box knows value, or None when it is not a proxy."""
    if isinstance(value, PlainRemote):
        value = value.__remote__
    if "is_made_in_box" in vars(type(value)):
        return conversation.class_of(cast("type", value))
    if not issubclass(type(value), Remote):
        path = path_of_class(value) if isinstance(value, type) else None
        return None if path is None else {"path": path}
    if slot_of(value, "_conversation") is conversation and slot_of(value, "_number") >= 0:
        return {"object": slot_of(value, "_number")}
    if (own := slot_of(value, "_path")) is not None:
        return {"path": list(own)}
    raise TypeError(
        f"{slot_of(value, '_name')} was made in another test, and each test has a fresh program: "
        "make it in this test or in a fixture of the right scope"
    )


def path_of_class(kind: type) -> list[str] | None:
    """Return the path of an exception class made for the student's, None for others."""
    path = vars(kind).get("__student_path__") if type(kind) is type else None
    return None if path is None else list(path)


def forward(
    remote: Remote, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any] | None = None
) -> Any:
    """Let the box call a special method of what remote stands for."""
    conversation = conversation_of(remote)
    return conversation.call(target_of(remote, conversation), name, arguments, keywords or {})


def slot_of(remote: object, name: str) -> Any:
    """Return what a proxy knows of itself, without asking the box."""
    return object.__getattribute__(remote, name)


def _described(remote: Remote, name: str, fallback: str) -> str:
    conversation: Conversation = slot_of(remote, "_conversation")
    if not conversation.box.is_alive:
        return fallback
    try:
        return str(forward(remote, name, ()))
    except (BoxEnded, TypeError):
        return fallback


def _copied(remote: Remote, name: str) -> Any:
    conversation = conversation_of(remote)
    copied = conversation.call({"path": ["copy", name]}, None, (remote,), {})
    if isinstance(copied, Remote):
        object.__setattr__(copied, "_is_ours", slot_of(remote, "_is_ours"))
    return copied


def _with_path(owner: Remote, name: str, found: Any) -> Any:
    """Let a function found in a class be found again in another box."""
    path = slot_of(owner, "_path")
    if path is not None and type(found) is RemoteCallable:
        object.__setattr__(found, "_path", (path[0], f"{'.'.join(path[1:])}.{name}".lstrip(".")))
    return found


def _parameter(name: str, kind: int, has_default: bool) -> inspect.Parameter:  # noqa: FBT001 - as its caller passes it
    default = ... if has_default else inspect.Parameter.empty
    return inspect.Parameter(str(name), inspect._ParameterKind(kind), default=default)  # noqa: SLF001 - it has no public name
