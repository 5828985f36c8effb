"""An attempt that runs, as far as its launcher knows: what its process said, what must be written."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.runner import store
from app.runner.exec import Order
from app.runner.outcome import completed, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from app.runner.serving import Done
    from app.runner.store import Claimed, Finish


_COMPLETED: Final = {"outcome": "completed"}
_MEASURED: Final = ("cpu_seconds", "peak_memory_bytes", "log_bytes", "pid", "process_started")
_BY_ITSELF: Final = {"exit_code": None, "signal": None, "stopped": None, "stop_signal": None}


@dataclass(kw_only=True, slots=True)
class Running:
    """One attempt between its claim and its end."""

    claimed: Claimed
    pid: int | None = None
    process_started: float | None = None
    is_process_saved: bool = False
    said: Mapping[str, Any] | None = None
    progress: tuple[float, float, str] | None = None
    cancelled_by: str | None = None
    began: float | None = None

    def order(self) -> Order:
        """Give what its process must know."""
        job_id, attempt, class_name, method, parameters, _, _, timeout_seconds, *_ = self.claimed
        return Order(job_id, attempt, class_name, method, parameters, timeout_seconds)

    def hear(self, message: Mapping[str, Any]) -> None:
        """Note what was reported while it runs."""
        if message["kind"] == "started":
            self.pid, self.process_started = message["pid"], message["process_started"]
            self.began = time.monotonic()
        elif message["kind"] == "progress":
            self.progress = (message["done"], message["total"], message["message"])
        elif message["kind"] == "result":
            self.said = message

    def end(self, ended: Mapping[str, Any]) -> Finish:
        """Decide what its end, seen as `ended`, means."""
        known = {"pid": self.pid, "process_started": self.process_started, **ended}
        now = dt.datetime.now(dt.UTC)
        return decide(self.claimed, self.said, known, cancelled_by=self.cancelled_by, now=now)

    def done(self, done: Done, pid: int, process_started: float, now: dt.datetime) -> Finish:
        """Decide what its end in a process that goes on means."""
        measured = (done.cpu_seconds, done.peak_memory_bytes, done.log_bytes, pid, process_started)
        if done.said is None:
            self.said = _COMPLETED
            return completed(self.claimed, done.result, now, *measured)
        self.said = done.said
        ended = dict(zip(_MEASURED, measured, strict=True)) | _BY_ITSELF
        return decide(self.claimed, self.said, ended, cancelled_by=self.cancelled_by, now=now)

    @property
    def is_unsaved(self) -> bool:
        """Whether there is something to write before its end, which is not known to be near."""
        is_new = self.pid is not None and not self.is_process_saved
        return self.said is None and (is_new or self.progress is not None)

    def save(self, session: Session) -> None:
        """Write its process and its progress."""
        job_id, attempt = self.claimed.job_id, self.claimed.attempt
        if self.pid is not None and not self.is_process_saved:
            store.save_process(session, job_id, attempt, self.pid, self.process_started or 0.0)
        if self.progress is not None:
            store.save_progress(session, job_id, attempt, self.progress)

    def saved(self) -> None:
        """Note that what there was has been committed."""
        self.is_process_saved, self.progress = self.pid is not None, None
