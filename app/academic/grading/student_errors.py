"""Exceptions of the student's code as real exceptions of the tests.

An exception of Python's own arrives as itself. A class of the student's becomes a class made here, with
the same name and the same bases, so that
`pytest.raises(solution.MyError)` and `pytest.raises(ValueError)` both hold.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.academic.grading.conversation import Conversation

MARK = "__raised_by_student__"
# What these would do to the test run is not the student's to decide.
_NOT_RAISED = frozenset(
    {"KeyboardInterrupt", "GeneratorExit", "SystemError", "BaseExceptionGroup", "ExceptionGroup"}
)
_made: dict[tuple[tuple[str, str], ...], type[BaseException]] = {}


def build_error(conversation: Conversation, content: dict[str, Any]) -> BaseException:
    """Return the exception that content describes, marked as the student's."""
    kind = error_class([(str(module), str(name)) for module, name in content["class"]["names"]])
    arguments = [conversation.unpack(item) for item in content["args"]]
    message = str(content["message"])
    error = _instance(kind, arguments, message)
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


def error_class(names: list[tuple[str, str]]) -> type[BaseException]:
    """Return the class for the names of an exception's line of descent, nearest first."""
    key = tuple(names)
    if key not in _made:
        _made[key] = _make_class(names)
    return _made[key]


def _make_class(names: list[tuple[str, str]]) -> type[BaseException]:
    known = [kind for kind in map(_of_python, names) if kind is not None]
    bases = [
        kind for kind in known if not any(other is not kind and issubclass(other, kind) for other in known)
    ]
    if not bases:
        return RuntimeError
    first = next(index for index, name in enumerate(names) if _of_python(name) is not None)
    if first == 0:
        return bases[0]
    return _chain(names, tuple(bases))


def _chain(names: list[tuple[str, str]], bases: tuple[type[BaseException], ...]) -> type[BaseException]:
    """Return a class for the first name, below a class for each of the student's classes it descends from."""
    for index in range(1, len(names)):
        if _of_python(names[index]) is None:
            above = error_class(names[index:])
            rest = tuple(base for base in bases if not issubclass(above, base))
            return _own(*names[0], (above, *rest))
    return _own(*names[0], bases)


def _own(module: str, name: str, bases: tuple[type[BaseException], ...]) -> type[BaseException]:
    body: dict[str, Any] = {"__module__": module, "__qualname__": name, "__student_path__": (module, name)}
    plain = name.rpartition(".")[2]
    try:
        return type(plain, (_Own, *bases) if not issubclass(bases[0], _Own) else bases, body)
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
