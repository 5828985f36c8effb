"""Exceptions of the student's code as real exceptions of the tests.

An exception of Python's own arrives as itself. A class of the student's becomes a class made here, with
the same name and the same bases, so that
`pytest.raises(solution.MyError)` and `pytest.raises(ValueError)` both hold.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.academic.grading.conversation import Conversation

MARK = "__raised_by_student__"
# What these would do to the test run is not the student's to decide.
_NOT_RAISED = frozenset(
    {"KeyboardInterrupt", "GeneratorExit", "SystemError", "BaseExceptionGroup", "ExceptionGroup"}
)
_MAX_DEPTH = 30

Name = tuple[str, str]


def build_error(conversation: Conversation, content: dict[str, Any]) -> BaseException:
    """Return the exception that content describes, marked as the student's."""
    kind = error_class(content["class"])
    arguments = [conversation.unpack(item) for item in content["args"]]
    message = str(content["message"])
    error = _instance(kind, arguments, message)
    if content["cause"] is not None:
        error.__cause__ = build_error(conversation, content["cause"])
    setattr(error, MARK, str(content["trace"]))
    error.__dict__["_conversation"], error.__dict__["_number"] = conversation, int(content["id"])
    return error


def _instance(kind: type[BaseException], arguments: list[Any], message: str) -> BaseException:
    if not issubclass(kind, _Own):
        try:
            error = kind(*arguments)
            if str(error) == message:
                return error
        except Exception:  # noqa: BLE001 - whatever fails here has to be told, not lost
            kind = _own(kind.__module__, kind.__qualname__, (kind,))
        else:
            kind = _own(kind.__module__, kind.__qualname__, (kind,))
    error = kind.__new__(kind)
    error.args = tuple(arguments)
    error.__dict__["_message"] = message
    return error


class _Own:
    """What every exception made here can: tell its message, and ask its original for attributes."""

    def __init__(self, *arguments: object, **_: object) -> None:
        self.args = arguments

    def __str__(self) -> str:
        return str(self.__dict__.get("_message", ", ".join(map(str, getattr(self, "args", ())))))

    def __getattr__(self, name: str) -> Any:
        conversation: Conversation | None = self.__dict__.get("_conversation")
        if conversation is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        return conversation.value("get", on={"object": self.__dict__["_number"]}, name=name)


def error_class(described: dict[str, Any]) -> type[BaseException]:
    """Return the class for an exception class of the box, made once for its name and bases."""
    names = [_name(one) for one in described["names"]]
    parents = [[_name(one) for one in above] for above in described["parents"]]
    return _find(names[0], dict(zip(names, parents, strict=True)), 0) or RuntimeError


def _name(pair: Any) -> Name:
    module, name = pair
    return str(module), str(name)


def _find(name: Name, parents: dict[Name, list[Name]], depth: int) -> type[BaseException] | None:
    if (known := _of_python(name)) is not None or name[0] == "builtins" or depth > _MAX_DEPTH:
        return known
    found = [_find(one, parents, depth + 1) for one in parents.get(name, ())]
    bases = tuple(dict.fromkeys(one for one in found if one is not None))
    if name[0].partition(".")[0] in sys.stdlib_module_names:
        return bases[0] if bases else None
    return _own(*name, bases or (RuntimeError,))


@functools.cache
def _own(module: str, name: str, bases: tuple[type[BaseException], ...]) -> type[BaseException]:
    body: dict[str, Any] = {"__module__": module, "__qualname__": name, "__student_path__": (module, name)}
    plain = name.rpartition(".")[2]
    try:
        return type(plain, bases if any(issubclass(base, _Own) for base in bases) else (_Own, *bases), body)
    except TypeError:  # two bases of different build: the nearer one counts
        return type(plain, (_Own, bases[0]), body)


def _of_python(name: tuple[str, str]) -> type[BaseException] | None:
    module, kind = name
    if module.partition(".")[0] not in sys.stdlib_module_names or module.startswith(
        ("unittest", "asyncio", "bdb")
    ):
        return None
    found = getattr(sys.modules.get(module), kind, None)
    if not isinstance(found, type) or not issubclass(found, BaseException) or kind in _NOT_RAISED:
        return None
    if not issubclass(found, Exception) and found is not SystemExit:
        return None
    return found
