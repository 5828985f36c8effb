"""What the runner is bound to in this process: settings, a database, and who is acting.

The floors above Flask's ask here and do not know who answers; the Flask extension does, with the
application of the present context. A program without Flask may bind one by itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.runner import wake
from app.runner.database import SNAPSHOT, begin_writing
from app.runner.errors import RunnerError
from app.runner.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from app.runner.settings import Settings


class NotBound(RunnerError):
    """The runner was used outside of an application that has one; push an application context."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One application's runner."""

    settings: Settings
    engine: Engine
    # Who is acting, as events name them.
    actor: Callable[[], str] = field(default=lambda: "system")
    # How `flask --app` would name the application; empty where flask finds it by itself.
    application: str = ""
    # The host's own session, if it has one: enqueueing joins its transaction.
    host_session: Callable[[], Session | None] = field(default=lambda: None)

    @cached_property
    def registry(self) -> Registry:
        """The approved list at work."""
        return Registry(self.settings.approved)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads: one state of the database, on SQLite."""
        with Session(self.engine.execution_options(**{SNAPSHOT: True})) as session:
            yield session

    @contextmanager
    def write(self, *, wakes: bool = True) -> Iterator[Session]:
        """Open a session that writes: it commits at the end, then wakes the launchers."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            begin_writing(session)
            yield session
            if wakes:
                wake.notify(session)
        if wakes:
            wake.send(self.settings.wake_dir)


def _unbound() -> Binding:
    raise NotBound("no runner is bound here: use it inside of an application that has Runner(app)")


_resolve: Callable[[], Binding] = _unbound


def current() -> Binding:
    """Give the binding of the present context; raises `NotBound` without one."""
    return _resolve()


def use(resolve: Callable[[], Binding]) -> None:
    """Have `current` ask `resolve` from now on."""
    global _resolve  # noqa: PLW0603 - one seam for the process, set by the extension
    _resolve = resolve
