"""Sees modules arrive while a handler runs: who imports Flask late gets its application then.

Not at the import itself: the application may be made by the very module that is just importing
Flask, half of it run. Once the outermost import is over, everything it brought is whole.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def entered_on_arrival(
    has_come: Callable[[], bool], enter: Callable[[], contextlib.AbstractContextManager[Any]]
) -> Iterator[None]:
    """Enter what `enter` gives once, after the import of this thread that makes `has_come` true."""
    plain_import, thread, depth = builtins.__import__, threading.get_ident(), 0

    def importing(*arguments: Any, **named: Any) -> Any:
        nonlocal depth
        if threading.get_ident() != thread:
            return plain_import(*arguments, **named)
        depth += 1
        try:
            module = plain_import(*arguments, **named)
        finally:
            depth -= 1
        if depth == 0 and builtins.__import__ is importing and has_come() and not _is_importing():
            builtins.__import__ = plain_import
            stack.enter_context(enter())
        return module

    with contextlib.ExitStack() as stack:
        builtins.__import__ = importing
        try:
            yield
        finally:
            if builtins.__import__ is importing:
                builtins.__import__ = plain_import


def _is_importing() -> bool:
    """Whether a module is half imported, by other means than a statement (`importlib.import_module`)."""
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    return any(getattr(spec, "_initializing", False) for spec in specs)
