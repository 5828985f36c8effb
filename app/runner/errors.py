"""Everything the runner raises, as one tree.

RunnerError
├── SettingsError         a RUNNER_* setting is wrong; start-up stops
├── ValidationError       a job was refused at enqueue; lists every problem
├── JobNotFound           no job has that number
├── JobNotCompleted       the result of a job was asked for that has none
├── IllegalTransition     the job's status does not allow what was asked
├── PauseRefused          the class is none, or is (not) paused already
└── DatabaseGone          a launcher without work has waited in vain for its database

HandlerSignal             raised by handlers, on purpose
├── Retry                 run me again later
├── Snooze                the same, and it was no failure
└── Abort                 do not run me again
"""

from __future__ import annotations

from typing import NamedTuple


class RunnerError(Exception):
    """Something the runner was asked to do cannot be done; the message says why."""


class SettingsError(RunnerError):
    """A setting is missing, unknown or has a value that cannot be used; the message names it."""


class Problem(NamedTuple):
    """One thing wrong with a job that was to be enqueued."""

    field: str
    message: str

    def __str__(self) -> str:
        """Give the sentence a person reads."""
        return f"{self.field}: {self.message}"


class ValidationError(RunnerError, ValueError):
    """The job was refused and nothing was stored; `problems` lists every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems, and join them for people."""
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


class JobNotFound(RunnerError, LookupError):
    """There is no job with that number."""

    def __init__(self, job_id: int) -> None:
        """Name the number that was asked for."""
        self.job_id = job_id
        super().__init__(f"there is no job {job_id}")


class JobNotCompleted(RunnerError):
    """The job has not completed, so there is no result of it (yet)."""

    def __init__(self, job_id: int, status: str) -> None:
        """Say what the job is instead."""
        self.job_id, self.status = job_id, status
        super().__init__(f"job {job_id} is {status}: only a completed job has a result")


class IllegalTransition(RunnerError):
    """The job is not in a status from which this can be done; nothing was changed."""

    def __init__(self, job_id: int, verb: str, status: str, allowed: str) -> None:
        """Say what the job is now, and from where the verb is allowed."""
        self.job_id, self.verb, self.status = job_id, verb, status
        super().__init__(f"job {job_id} is {status}: {verb} is only possible for {allowed} jobs")


class PauseRefused(RunnerError):
    """The class cannot be paused or resumed: it is not approved, or is so already; nothing was changed."""


class DatabaseGone(RunnerError):
    """A launcher that may leave has waited in vain for its database; what is unwritten runs again."""


class HandlerSignal(Exception):
    """A handler says what is to happen with its job."""


class Retry(HandlerSignal):
    """Run this job again, after `delay` seconds or, without one, after the usual back-off.

    It uses up an attempt like any failure, and fails the job when none is left.
    """

    def __init__(self, reason: str = "the handler asked for a retry", *, delay: float | None = None) -> None:
        """Keep the delay, in seconds; what is no number fails here, where the handler says it."""
        self.delay = None if delay is None else float(delay)
        super().__init__(reason)


class Snooze(HandlerSignal):
    """Put this job back for `delay` seconds: it is not the time for it yet.

    It uses up no attempt and is no failure, however often it is said.
    """

    def __init__(self, delay: float, reason: str = "") -> None:
        """Keep the delay, in seconds; what is no number fails here, where the handler says it."""
        self.delay = float(delay)
        super().__init__(reason)


class Abort(HandlerSignal):
    """Fail this job at once, whatever attempts are left: trying again cannot help."""
