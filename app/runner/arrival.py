"""Sees modules arrive while a handler runs: who imports Flask late gets its application then.

Not at the import itself: the application may be made by the very module that is just importing
Flask, half of it run. Once the outermost import is over, everything it brought is whole.
"""

from __future__ import annotations

import builtins
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable
    from types import TracebackType


class EnteredOnArrival:
    """Enters what `enter` gives once, after the import of this thread that makes `has_come` true.

    A class and not a generator: this is around every job, and each function that a fresh process
    calls costs it a copy of the pages that it touches.
    """

    def __init__(
        self, has_come: Callable[[], bool], enter: Callable[[], contextlib.AbstractContextManager[Any]]
    ) -> None:
        self._has_come, self._enter = has_come, enter
        self._plain_import, self._thread, self._depth = builtins.__import__, threading.get_ident(), 0
        self._own_import = self._import
        self._entered: contextlib.AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        """See modules arrive from now on."""
        builtins.__import__ = self._own_import

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """See them no more, and leave what was entered."""
        if builtins.__import__ is self._own_import:
            builtins.__import__ = self._plain_import
        return None if self._entered is None else self._entered.__exit__(kind, error, trace)

    def _import(self, *arguments: Any, **named: Any) -> Any:
        if threading.get_ident() != self._thread:
            return self._plain_import(*arguments, **named)
        self._depth += 1
        try:
            module = self._plain_import(*arguments, **named)
        finally:
            self._depth -= 1
        if self._depth == 0 and self._is_looking() and self._has_come() and not _is_importing():
            builtins.__import__ = self._plain_import
            entering = self._enter()
            entering.__enter__()
            self._entered = entering
        return module

    def _is_looking(self) -> bool:
        return builtins.__import__ is self._own_import


def _is_importing() -> bool:
    """Whether a module is half imported, by other means than a statement (`importlib.import_module`)."""
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    return any(getattr(spec, "_initializing", False) for spec in specs)
