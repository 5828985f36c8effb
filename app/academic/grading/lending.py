"""What of the tests' own objects the student's code may use: it may call and read, never look behind.

A lent object stays in the trusted process; the box holds a stand-in. Names that begin with an underscore, the
insides of functions, frames, modules and the levers of a mock are never reached from the box.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import random
import sys
import types
from typing import TYPE_CHECKING, Any

from app.academic.grading.inside.classes import SPECIALS

if TYPE_CHECKING:
    from collections.abc import Callable

_READ = frozenset({"__name__", "__qualname__", "__doc__", "__module__"})
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType)
_NEVER_HANDED_OVER = (
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.ModuleType,
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
)
_OF_LIBRARY = (io.IOBase, random.Random, types.SimpleNamespace)
_SPECIALS = (*SPECIALS, "__repr__", "__str__", "__format__")
# With these a mock would tell the test whatever the student's code likes it to tell.
_LEVERS = frozenset({"reset_mock", "attach_mock", "configure_mock", "mock_add_spec", "return_value",
                     "side_effect", "called", "call_count", "call_args", "call_args_list", "mock_calls",
                     "method_calls", "mock_awaits"})  # fmt: skip
_HARMLESS = (io.StringIO, io.BytesIO)

# Where the instructor's files are; set by the session.
folders: list[str] = []


class NotLent(AttributeError):
    """The student's code asked for something behind an object of the test's."""


def may_be_lent(value: object) -> bool:
    """Tell whether the student's code may use this object of the test's."""
    if isinstance(value, (*_NEVER_HANDED_OVER, *_loaded("unittest", "TestCase"))):
        return False
    if isinstance(value, types.MethodType):
        return is_of_tests(value.__func__) or isinstance(value.__self__, _OF_LIBRARY)
    if isinstance(value, (types.BuiltinFunctionType, types.MethodWrapperType)):
        return is_of_library(type(value.__self__))
    if isinstance(value, functools.partial):
        return may_be_lent(value.func)
    if isinstance(value, contextlib._GeneratorContextManager):  # noqa: SLF001 - it has no public name
        return is_of_tests(getattr(value, "func", None))
    if isinstance(value, _OF_LIBRARY) or _is_mock(value) or type(value).__module__ == "unittest.mock":
        return True
    return is_of_tests(value) if isinstance(value, type) or callable(value) else is_of_tests(type(value))


def _is_mock(value: object) -> bool:
    return isinstance(value, _loaded("unittest.mock", "NonCallableMock"))


def _loaded(module: str, name: str) -> tuple[type, ...]:
    """Return a class of a module that the tests imported; importing it ourselves costs each run 40 ms."""
    found = getattr(sys.modules.get(module), name, None)
    return () if found is None else (found,)


def is_of_tests(value: object) -> bool:
    """Tell whether a function or class was written in the instructor's files."""
    module = getattr(value, "__module__", None) or type(value).__module__
    if type(value).__module__ != "functools" and not isinstance(value, (type, types.FunctionType)):
        module = type(value).__module__
    file = getattr(sys.modules.get(str(module)), "__file__", None)
    return bool(folders) and isinstance(file, str) and file.startswith(tuple(folders))


def is_of_library(kind: type) -> bool:
    """Tell whether a class is Python's own."""
    return kind.__module__.partition(".")[0] in sys.stdlib_module_names


def library_path(value: object) -> list[str] | None:
    """Return where Python itself has this function, class or module, None if it is not Python's."""
    if isinstance(value, types.ModuleType):
        return [value.__name__] if value.__name__.partition(".")[0] in sys.stdlib_module_names else None
    if not isinstance(value, (type, *_FUNCTIONS, types.MethodDescriptorType, types.WrapperDescriptorType)):
        return None
    owner = getattr(value, "__objclass__", None)
    module = str(getattr(owner or value, "__module__", None) or _module_of_bound(value))
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    name = str(getattr(value, "__qualname__", getattr(value, "__name__", "")))
    for path in ([module, name], [module, str(getattr(value, "__name__", ""))]):
        if _follow(path) is value or (isinstance(value, types.MethodType) and _follow(path) == value):
            return path
    return None


def _module_of_bound(value: object) -> str:
    return str(getattr(type(getattr(value, "__self__", None)), "__module__", ""))


def _follow(path: list[str]) -> object:
    found: Any = sys.modules.get(path[0])
    for name in path[1].split("."):
        found = getattr(found, name, None)
    return found


def describe(value: Any, number: int, pack: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what the box needs to make a stand-in."""
    if isinstance(value, (types.FunctionType, types.MethodType)):
        facts = [_text(getattr(value, name, None)) for name in ("__name__", "__qualname__", "__doc__")]
        described = {"id": number, "facts": [*facts, "tests"]}
        if (parameters := _parameters(value, pack)) is not None:
            described["parameters"] = parameters
        return described
    kind = type(value)
    specials = [name for name in _SPECIALS if _has(kind, name)]
    return {"id": number, "name": kind.__name__, "module": "tests", "specials": specials}


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _has(kind: type, name: str) -> bool:
    found = next((vars(one)[name] for one in kind.__mro__ if name in vars(one)), None)
    return found is not None and getattr(object, name, None) is not found


def _parameters(function: Any, pack: Callable[[Any], Any]) -> list[list[Any]] | None:
    try:
        found = inspect.signature(function).parameters.values()
        given = [
            [one.name, int(one.kind), *([] if one.default is one.empty else [_plain(one.default, pack)])]
            for one in found
        ]
    except (TypeError, ValueError):
        return None
    return given if all(str(one[0]).isidentifier() for one in given) else None


def _plain(value: object, pack: Callable[[Any], Any]) -> Any:
    if type(value) in (list, dict, set):
        raise TypeError("a default that can change stays where it is")
    return pack(value)


def read(value: Any, name: str) -> Any:
    """Return an attribute of a lent object."""
    _check(value, name)
    _check_mock(value)
    return getattr(value, name)


def write(value: Any, name: str, new: Any) -> None:
    """Change an attribute of a lent object, as long as it is data."""
    _check(value, name)
    if isinstance(value, (type, *_FUNCTIONS)) or callable(getattr(type(value), name, None)):
        raise NotLent(f"{name} belongs to the test and cannot be replaced")
    setattr(value, name, new)


def call(value: Any, special: str | None, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Call a lent object, or one of its special methods."""
    _check_mock(value)
    if special is None or special == "__call__":
        return value(*arguments, **keywords)
    if special not in _SPECIALS:
        raise NotLent(special)
    if _is_mock(value):
        return getattr(value, special)(*arguments, **keywords)
    return getattr(type(value), special)(value, *arguments, **keywords)


def _check(value: Any, name: str) -> None:
    if not isinstance(name, str) or (name.startswith("_") and name not in _READ):
        raise NotLent(f"{name} is not handed over by the test")
    if isinstance(value, types.FunctionType) and name not in {*_READ, *vars(value)}:
        raise NotLent(f"'function' object has no attribute {name!r}")
    if _is_mock(value) and (name in _LEVERS or name.startswith(("assert", "mock_"))):
        raise NotLent(f"{name} of a mock is the test's alone")


def _check_mock(value: Any) -> None:
    """Refuse a mock that would do for the student's code what Python itself does outside of the box."""
    if not _is_mock(value):
        return
    for behind in (vars(value).get("_mock_wraps"), getattr(value, "side_effect", None)):
        is_error = isinstance(behind, type) and issubclass(behind, BaseException)
        if not is_error and behind not in _HARMLESS and library_path(behind) is not None:
            raise NotLent(f"a mock around {behind!r} would run outside of the sandbox")
