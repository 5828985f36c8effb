"""What an attempt prints, on its way from a pipe to its log file, capped."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from app.runner.logs import attempt_log_path

if TYPE_CHECKING:
    from pathlib import Path

    from app.runner.exec import Order

_CHUNK: Final = 65_536


class Output:
    """The reading end of one attempt's output; its file is made when there is something to keep."""

    def __init__(self, descriptor: int, log_dir: Path, order: Order, limit: int) -> None:
        self.descriptor, self.log_dir, self.order, self.limit = descriptor, log_dir, order, limit
        self.kept = 0
        self._file: int | None = None
        self._is_full = False
        os.set_blocking(descriptor, False)

    def pump(self) -> bool:
        """Take what is there now, at most one chunk; False at the end, when no writer is left."""
        try:
            data = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return True
        if data:
            self._keep(data)
        return bool(data)

    def close(self) -> None:
        """Take the rest, as far as it has been written, and close."""
        for _ in range(256):
            before = self.kept
            if not self.pump() or self.kept == before:
                break
        os.close(self.descriptor)
        if self._file is not None:
            os.close(self._file)

    def _keep(self, data: bytes) -> None:
        if self._is_full:
            return
        room = self.limit - self.kept
        if len(data) > room:
            self._is_full = True
            data = data[:room] + f"\n[output cut here: more than {self.limit} bytes]\n".encode()
        self.kept += self._write(data)

    def _write(self, data: bytes) -> int:
        try:
            if self._file is None:
                self._file = self._open()
            return os.write(self._file, data)
        except OSError:
            # A full or read-only disk loses the log, not the job.
            self._is_full = True
            return 0

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        path = attempt_log_path(self.log_dir, self.order.job_id, self.order.attempt)
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)
