"""A handler that imports Flask late gets its context at the right moment."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from app.runner.arrival import EnteredOnArrival

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The order in which a site that makes its application while it is imported comes to be.
MODULES = {
    "late_flask": "",
    "late_site": "import late_flask\nimport json\nis_whole = True\n",
    "late_views": "import late_site\nis_whole = True\n",
}


class Context:
    """Stands for the application's context; notes what was whole when it was entered."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.is_open = False

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Be entered."""
        whole = [name for name in MODULES if getattr(sys.modules.get(name), "is_whole", False)]
        self.seen.append(" ".join(whole))
        self.is_open = True
        yield
        self.is_open = False


@pytest.fixture
def context() -> Context:
    """A context that nobody has entered."""
    return Context()


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules, imported by nobody yet; and Python's own import afterwards."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    before = builtins.__import__
    yield
    assert builtins.__import__ is before
    for name in MODULES:
        sys.modules.pop(name, None)


def has_come() -> bool:
    """Whether what is waited for has been imported."""
    return "late_flask" in sys.modules


def test_the_context_is_entered_once_the_outermost_import_is_whole(context: Context) -> None:
    """The application can be a module that imports Flask itself: it must not be asked for half made."""
    with EnteredOnArrival(has_come, context):
        import json  # noqa: F401

        assert [] == context.seen

        import late_views  # type: ignore[import-not-found]  # noqa: F401

        assert (["late_site late_views"], True) == (context.seen, context.is_open)

        import late_flask  # type: ignore[import-not-found]  # noqa: F401

    assert (1, False) == (len(context.seen), context.is_open)


def test_a_module_imported_by_name_is_whole_too(context: Context) -> None:
    """`importlib.import_module` is no statement: the next statement after it enters the context."""
    with EnteredOnArrival(has_come, context):
        importlib.import_module("late_views")
        assert [] == context.seen

        import json  # noqa: F401

        assert ["late_site late_views"] == context.seen


def test_a_failing_import_is_the_handlers_own_affair(context: Context) -> None:
    """An import that fails fails as always, and the next one is looked at again."""
    with EnteredOnArrival(has_come, context):
        with pytest.raises(ModuleNotFoundError):
            import late_nothing  # type: ignore[import-not-found]  # noqa: F401
        import late_flask  # noqa: F401

        assert 1 == len(context.seen)


def test_other_threads_import_without_it(context: Context) -> None:
    """A context belongs to the thread that enters it, and the handler's is the one that leaves it."""

    def work() -> None:
        import late_flask  # noqa: F401

    with EnteredOnArrival(has_come, context):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
        assert [] == context.seen
