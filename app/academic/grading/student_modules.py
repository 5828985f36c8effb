"""`import solution` in the tests: a module whose names live in the box."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import opcode
import sys
import types
from typing import TYPE_CHECKING, Any

from app.academic.grading import proxies
from app.academic.grading.endings import BoxEnded
from app.academic.grading.student_errors import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]
_OF_IMPORT = frozenset({"__path__", "__wrapped__", "__test__", "__bases__"})
_KEPT = frozenset(
    {"__name__", "__loader__", "__package__", "__spec__", "__path__", "__file__", "__cached__", "__doc__"}
)


class StudentFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the student's modules, and nothing else."""

    def __init__(self, sources: Mapping[str, str], importing: Callable[[str, bool], None]) -> None:
        self.sources, self._importing = sources, importing
        self._noticed: dict[str, Callable[[types.ModuleType], None]] = {}
        self._packages = {name.rpartition(".")[0] for name in sources}

    def when_imported(self, name: str, notice: Callable[[types.ModuleType], None]) -> None:
        """Call notice with a module of Python's, when the tests import it or at once."""
        if name in sys.modules:
            notice(sys.modules[name])
        else:
            self._noticed[name] = notice

    def _watched_spec(self, name: str, path: Sequence[str] | None) -> importlib.machinery.ModuleSpec | None:
        notice = self._noticed.pop(name, None)
        spec = None if notice is None else importlib.machinery.PathFinder.find_spec(name, path)
        if notice is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            notice(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for a module of the student's."""
        del target
        if name not in self.sources and name not in self._packages:
            return self._watched_spec(name, path)
        is_package = name in self._packages
        return importlib.machinery.ModuleSpec(name, self, origin=f"{name}.py", is_package=is_package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the module of proxies."""
        module = StudentModule(spec.name)
        vars(module)["__file__"] = spec.origin
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Import the student's module in the box; again when the test reloads it."""
        self._importing(module.__name__, bool(vars(module).get("__was_imported__")))
        vars(module)["__was_imported__"] = True

    def get_source(self, name: str) -> str | None:
        """Return the submitted text, for tests that look at it."""
        return self.sources.get(name)


class StudentModule(types.ModuleType):
    """A module whose names are looked up in the running test's box."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_IMPORT or name.startswith(("__pytest", "_pytest", "pytest_")):
            raise AttributeError(name)
        if name == "__all__":
            return [str(one) for one in proxies.current().value("public", on=_here(self))]
        try:
            conversation = proxies.current()
            found = conversation.value("get", on=_here(self), name=name)
        except BaseException as error:
            is_students = hasattr(error, MARK) or isinstance(error, BoxEnded)
            if is_students and _is_import(sys._getframe(1)):  # noqa: SLF001 - it has no public name
                return proxies.Unresolved(None, -1, name, (self.__name__, name))
            raise
        if type(found) is proxies.RemoteCallable:
            object.__setattr__(found, "_path", (self.__name__, name))
        return found

    def __setattr__(self, name: str, value: object) -> None:
        if name in _KEPT or isinstance(value, StudentModule):
            super().__setattr__(name, value)
            return
        conversation = proxies.current()
        conversation.set(_here(self), name, value)

    def __delattr__(self, name: str) -> None:
        conversation = proxies.current()
        conversation.request("del", on=_here(self), name=name)

    def __dir__(self) -> list[str]:
        return [str(name) for name in proxies.current().value("names", on=_here(self))]


def _here(module: StudentModule) -> dict[str, Any]:
    return {"path": [module.__name__]}


def _is_import(frame: types.FrameType) -> bool:
    """Tell `from solution import name`: a missing name then fails the tests that use it, not all."""
    return frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM
