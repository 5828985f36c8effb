"""The values that queries return: frozen, complete, nothing of the database in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.runner.queries import words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which jobs are wanted; None means any."""

    status: str | None = None
    priority: int | None = None
    class_name: str | None = None
    text: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is filtered at all."""
        return any((self.status, self.priority, self.class_name, self.text))


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """From where a list goes on: jobs older than `before`, or newer than `after`; neither: the newest."""

    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job as lists show it."""

    id: int
    status: str
    state: str
    class_name: str
    method: str
    parameters: str
    priority: int
    attempts_used: int
    max_attempts: int
    progress_done: float | None
    progress_total: float | None
    progress_message: str | None
    error: str | None
    created_at: dt.datetime
    run_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    is_cancel_requested: bool
    # How many other jobs must end before it may start.
    waits_for: int
    now: dt.datetime

    @property
    def handler(self) -> str:
        """`dotted.Class@method`."""
        return f"{self.class_name}@{self.method}"

    @property
    def short_class(self) -> str:
        """The class without its modules."""
        return self.class_name.rpartition(".")[2]

    @property
    def verbs(self) -> tuple[str, ...]:
        """What a person may do to it now."""
        verbs = words.verbs_for(self.state)
        if self.waits_for:
            verbs = tuple(verb for verb in verbs if verb != "start")
        return () if self.is_cancel_requested and self.status == "running" else verbs

    @property
    def duration_seconds(self) -> float | None:
        """How long its latest attempt took, or has taken so far."""
        if self.started_at is None or self.status == "pending":
            return None
        return ((self.finished_at or self.now) - self.started_at).total_seconds()

    @property
    def wait_seconds(self) -> float | None:
        """How long until it may start; None when it may, or has."""
        if self.status != "pending" or self.run_at <= self.now:
            return None
        return (self.run_at - self.now).total_seconds()


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """One page of jobs, newest first, and where the neighbouring pages begin."""

    rows: Sequence[JobRow]
    newer: Cursor | None
    older: Cursor | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """How many jobs there are by status (counted up to `words.COUNT_CAP` + 1), and who could run them."""

    by_status: dict[str, int]
    live_launchers: int
    # How many classes are paused; all of them together count for one.
    paused: int = 0

    @property
    def total(self) -> int:
        """All jobs, counted as far as their statuses were."""
        return sum(self.by_status.values())


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One run of a job, as its page shows it."""

    number: int
    outcome: str
    launcher_id: str | None
    host: str | None
    pid: int | None
    started_at: dt.datetime
    finished_at: dt.datetime | None
    now: dt.datetime
    error: str | None
    traceback: str | None
    exit_code: int | None
    signal: int | None
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    log_bytes: int

    @property
    def duration_seconds(self) -> float:
        """How long it took, or has taken so far."""
        return ((self.finished_at or self.now) - self.started_at).total_seconds()

    @property
    def ended_by(self) -> str:
        """How its process ended: `exit 1`, `SIGKILL`; empty while that is not known."""
        if self.signal is not None:
            return words.signal_name(self.signal)
        return "" if self.exit_code is None else f"exit {self.exit_code}"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.finished_at is None


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One entry of a job's timeline."""

    at: dt.datetime
    # A status or state: what it is coloured by.
    kind: str
    title: str
    actor: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobDetail:
    """Everything the page of one job shows."""

    row: JobRow
    full_parameters: str
    full_error: str | None
    result: str | None
    created_by: str | None
    unique_key: str | None
    # Until then the key stays taken, even if the job has finished.
    unique_until: dt.datetime | None
    timeout_seconds: float | None
    cancel_requested_at: dt.datetime | None
    cancel_requested_by: str | None
    crashes: int
    waiting: str | None
    # The jobs that must end before it may start, as many as are named.
    waits_for: Sequence[int]
    attempts: Sequence[AttemptView]
    timeline: Sequence[Moment]

    @property
    def last_attempt(self) -> AttemptView | None:
        """The newest attempt, if it was ever started."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failed job with what its last attempt left behind."""

    row: JobRow
    attempt: int
    traceback: str | None
    log_bytes: int


@dataclass(frozen=True, kw_only=True)
class FailurePage:
    """One page of failures, newest first."""

    rows: Sequence[Failure]
    newer: Cursor | None
    older: Cursor | None


@dataclass(frozen=True, kw_only=True)
class LauncherView:
    """A launcher, and whether it may be believed to live."""

    id: str
    host: str
    pid: int
    slots: int
    running: int
    is_draining: bool
    started_at: dt.datetime
    heartbeat_at: dt.datetime
    is_alive: bool
