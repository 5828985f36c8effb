"""What a sleeping launcher is woken by: its engine, whoever enqueued, and signals."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
from typing import TYPE_CHECKING

from app.runner import wake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from app.runner.engines.local import LocalEngine


class Watch:
    """The sockets of one launcher; `wait` sleeps on all of them."""

    def __init__(
        self, directory: Path, launcher_id: str, database: Engine, stop: Callable[..., None]
    ) -> None:
        self._directory, self._launcher_id = directory, launcher_id
        self._selector = selectors.DefaultSelector()
        self._notice, self._noticed = socket.socketpair()
        for each in (self._notice, self._noticed):
            each.setblocking(False)
        signal.set_wakeup_fd(self._noticed.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self._selector.register(self._notice, selectors.EVENT_READ)
        self._waker = wake.listen(directory, launcher_id)
        if self._waker is not None:
            self._selector.register(self._waker, selectors.EVENT_READ)
        self._listener = wake.Listener(database)
        self.listen()

    def listen(self) -> None:
        """Listen to the database's own notices; does nothing if that is so already."""
        self._listener.attach(self._selector)

    def add(self, engine: LocalEngine) -> None:
        """Wake up for what the engine says, and for its end."""
        self._selector.register(engine.reports, selectors.EVENT_READ)
        self._selector.register(engine.control, selectors.EVENT_READ)

    def remove(self, engine: LocalEngine) -> None:
        """The engine's sockets are about to be closed."""
        self._selector.unregister(engine.reports)
        self._selector.unregister(engine.control)

    def wait(self, seconds: float) -> bool:
        """Sleep until something happens; True if somebody has written to the database."""
        was_woken = False
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._waker:
                wake.drain(self._waker)
                was_woken = True
            elif key.data is self._listener:
                self._listener.drain(self._selector)
                was_woken = True
            elif key.fileobj is self._notice:
                with contextlib.suppress(OSError):
                    self._notice.recv(4096)
        return was_woken

    def close(self) -> None:
        """Watch nothing more."""
        signal.set_wakeup_fd(-1)
        self._listener.close()
        self._selector.close()
        self._notice.close()
        self._noticed.close()
        wake.close(self._directory, self._launcher_id, self._waker)
