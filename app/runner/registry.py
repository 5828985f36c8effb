"""The approved list at work: the only way from a name to code.

A handler is found by exact look-up of its class and method in the approved list; only then is its
module imported. Nothing is split, walked or evaluated that came from outside.
"""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from app.runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.runner.settings import Approval

# Calling one of these runs nothing.
_NOT_PLAIN: Final = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)

_MOST_KNOWN: Final = 1000

# Enough to recognise a name by.
_SHOWN: Final = 80


class NotApproved(RunnerError):
    """The class or method is not on the approved list, or is not what it was approved as."""

    def __init__(self, field: str, message: str) -> None:
        """Say which of the two names is at fault: `class` or `method`."""
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Handler:
    """An approved class and method, with what was approved about them."""

    class_name: str
    method: str
    approval: Approval


class Registry:
    """Finds and loads handlers of one approved list."""

    def __init__(self, approved: Mapping[str, Approval]) -> None:
        self.approved = approved
        # By the names of class and method: looked at before every job.
        self._loaded: dict[tuple[str, str], tuple[type[Any], Callable[..., Any]]] = {}
        # What was found valid before, by its options: most jobs differ in their parameters only.
        self.known: dict[object, Any] = {}
        self._plain: set[Callable[..., Any]] = set()

    def find(self, class_name: object, method: object) -> Handler:
        """Look both names up; import nothing. Raises `NotApproved`."""
        approval = self.approved.get(class_name) if isinstance(class_name, str) else None
        if approval is None:
            raise NotApproved("class", f"{_shown(class_name)} is not an approved class")
        if not isinstance(method, str) or method not in approval.methods:
            raise NotApproved("method", f"{_shown(method)} is not an approved method of {class_name}")
        return Handler(class_name=str(class_name), method=method, approval=approval)

    def load(self, handler: Handler) -> tuple[type[Any], Callable[..., Any]]:
        """Import the handler's class and give it with the plain function behind the method.

        Raises `NotApproved` when the class or the method is not there, is inherited, or is nothing
        that can be called once and be over with.
        """
        found = self._load_class(handler.class_name)
        function = vars(found).get(handler.method)
        if not inspect.isfunction(function):
            raise NotApproved("method", f"{handler.class_name} has no method {handler.method} of its own")
        if function not in self._plain:
            _check_plain(function, handler.method)
            self._plain.add(function)
        return found, function

    def remember(self, options: object, valid: object) -> None:
        """Keep what was found valid, within bounds."""
        if len(self.known) >= _MOST_KNOWN:
            self.known.clear()
        self.known[options] = valid

    def loaded(self, class_name: str, method: str) -> tuple[type[Any], Callable[..., Any]]:
        """Give what `load` does of these names; what was loaded ahead is not looked at again."""
        return self._loaded.get((class_name, method)) or self.load(self.find(class_name, method))

    def preload(self) -> list[Callable[..., Any]]:
        """Load every handler, so that forked processes find them loaded; leave out what fails."""
        for class_name, approval in self.approved.items():
            for method in approval.methods:
                # What fails here says so by itself, in each of its jobs.
                with contextlib.suppress(NotApproved):
                    self._loaded[class_name, method] = self.load(self.find(class_name, method))
        return [function for _, function in self._loaded.values()]

    def _load_class(self, class_name: str) -> type[Any]:
        module_name, _, name = class_name.rpartition(".")
        try:
            module = import_module(module_name)
        except Exception as error:
            raise NotApproved("class", f"{class_name} cannot be imported: {error!r}") from error
        found = vars(module).get(name)
        if not isinstance(found, type):
            raise NotApproved("class", f"{class_name} is not a class")
        return found


def _check_plain(function: Callable[..., Any], method: str) -> None:
    if any(is_kind(function) for is_kind in _NOT_PLAIN):
        raise NotApproved("method", f"{method} is a coroutine or generator; a plain method is needed")


def _shown(name: object) -> str:
    text = name if isinstance(name, str) else repr(name)
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
