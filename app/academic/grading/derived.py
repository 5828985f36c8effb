"""A class of the tests that derives from a class of the student's.

Each instance is an object in the box, of a class made there; what the test overrides is lent to it, so that
the student's own methods find the test's. Here it is a proxy whose class has the test's methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.academic.grading import proxies
from app.academic.grading.operators import special_method
from app.academic.grading.proxies import Remote, conversation_of, slot_of, target_of

if TYPE_CHECKING:
    from app.academic.grading.conversation import Conversation

_NOT_TOLD = frozenset({"__module__", "__qualname__", "__classcell__", "__doc__", "__slots__", "__dict__",
                       "__weakref__", "__firstlineno__", "__static_attributes__"})  # fmt: skip


class DerivedType(type):
    """Makes instances in the box, by the test's own constructor."""

    is_made_in_box = True

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:  # noqa: D102 - as Python calls it
        conversation = proxies.current()
        number = conversation.new_of(cls)
        made = stand_in(cls, conversation, number)
        conversation.remember(number, made)
        made.__init__(*arguments, **keywords)
        return made


class Derived(Remote, metaclass=DerivedType):
    """An object of a test's class that has a student's class above it."""

    __slots__ = ()


def base_for(remote: Remote) -> type:
    """Return what stands above the test's class in place of the student's."""
    conversation = conversation_of(remote)
    told = conversation.value("members", on=target_of(remote, conversation))
    body: dict[str, Any] = {str(name): _Inherited(str(name), remote) for name in told["methods"]}
    for name in told["specials"]:
        body.setdefault(str(name), special_method(str(name)))
    body |= {"__slots__": (), "__student__": remote, "__hash__": object.__hash__}
    return DerivedType(str(slot_of(remote, "_name")), (Derived,), body)


def stand_in(kind: type, conversation: Conversation, number: int) -> Any:
    """Return the proxy for an instance in the box."""
    made: Any = object.__new__(kind)
    Remote.__init__(made, conversation, number, kind.__name__)
    object.__setattr__(made, "_is_ours", True)
    above = [name for one in _students(kind) for name in slot_of(one, "_known").get("names", ())]
    slot_of(made, "_known").update(names=[(kind.__module__, kind.__qualname__), *above])
    return made


def recipe(kind: type, conversation: Conversation) -> dict[str, Any]:
    """Return what the box needs to make the class."""
    bases = [target_of(one, conversation) for one in _students(kind)]
    body: dict[str, Any] = {}
    for one in reversed(kind.__mro__):
        if not issubclass(one, Derived) or "__student__" not in vars(one):
            body |= {} if one in {*Derived.__mro__, object} else vars(one)
    told = {}
    for name, value in body.items():
        if name not in _NOT_TOLD:
            told[name] = _packed(value, conversation)
    return {"name": kind.__name__, "bases": bases, "body": told}


def _packed(value: Any, conversation: Conversation) -> Any:
    if isinstance(value, property):
        parts = [conversation.pack(part) for part in (value.fget, value.fset, value.fdel)]
        return {"made": [{"type": "builtins.property"}, parts]}
    if isinstance(value, (staticmethod, classmethod)):
        kind = {"type": f"builtins.{type(value).__name__}"}
        return {"made": [kind, [conversation.pack(value.__func__)]]}
    return conversation.pack(value)


def _students(kind: type) -> list[Remote]:
    return [vars(one)["__student__"] for one in kind.__mro__ if "__student__" in vars(one)]


class _Inherited:
    """A method or property of the student's class, as `super()` and plain access find it."""

    def __init__(self, name: str, remote: Remote) -> None:
        self._name, self._remote = name, remote

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return getattr(self._remote, self._name)
        conversation = conversation_of(owner)
        base = target_of(self._remote, conversation)
        return conversation.value("inherited", on=target_of(owner, conversation), base=base, name=self._name)
