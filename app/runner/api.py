"""Enqueueing: the one function that host applications call."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Never

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.runner import autostart, binding, store, wake
from app.runner.validator import Request, validate, validate_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.runner.binding import Binding
    from app.runner.models import Job

# What a session has whose jobs wait for its commit: the binding that they were enqueued with.
_WAITING: Final = "runner_enqueued"
_OPTIONS: Final = set(Request._fields) - {
    "class_name",
    "method",
    "parameters",
    "unknown",
}


def run_background_job(  # noqa: PLR0913 - the public face: one argument an option
    cls: str | type,
    method: str,
    parameters: Sequence[Any] | Mapping[str, Any] | str | None = None,
    *,
    priority: int = 2,
    delay: float = 0,
    retries: int | None = None,
    timeout: float | None = None,
    unique_key: str | None = None,
    unique_seconds: float | None = None,
    after: Iterable[Job | int] = (),
    after_failed: str = "cancel",
    replaces: Job | int | None = None,
    session: Session | None = None,
    **unknown: Never,
) -> Job:
    """Enqueue one run of an approved handler, in the caller's transaction.

    Args:
        cls: The handler's class, or its dotted name as it stands on the approved list.
        method: The name of the method to call.
        parameters: Its arguments: a list (positional), an object (by name), or the JSON text of either.
        priority: 1 high, 2 medium, 3 low.
        delay: Seconds to wait before it is due.
        retries: How often a failure is followed by another attempt; by default what was approved, or 3.
        timeout: Seconds one attempt may take; by default what was approved, or no limit.
        unique_key: While a job with this key is unfinished, it is returned instead of a new one.
        unique_seconds: For so long after it was enqueued the key stays taken, even if the job has finished.
        after: Jobs, or their numbers, that must end before this one may start.
        after_failed: What becomes of it if one of those fails or is cancelled: "cancel" or "run".
        replaces: A job whose place in line this one takes: if that has not begun, it is cancelled.
        session: Whose transaction to join; by default the application's session. Where there is
            none, the job is committed at once.
        **unknown: Refused, each by its name.

    Returns:
        The job, with its number. It runs after the transaction commits, and never if it rolls back.

    Raises:
        ValidationError: Something is wrong with what was given; every problem is listed.
    """
    bound = binding.current()
    options = {
        "priority": priority,
        "delay": delay,
        "retries": retries,
        "timeout": timeout,
        "unique_key": unique_key,
        "unique_seconds": unique_seconds,
        "after": after,
        "after_failed": after_failed,
        "replaces": replaces,
        **unknown,
    }
    valid = validate(request_of(cls, method, parameters, options), bound.registry, bound.settings)
    host = session if session is not None else bound.host_session()
    if host is None and store.can_be_alone(valid, bound.engine):
        job = store.enqueue_alone(bound.engine, valid, bound.settings, created_by=bound.actor())
        _wake(bound)
        return job
    with joined(host, bound) as own:
        return store.enqueue(own, valid, bound.settings, created_by=bound.actor())


def run_background_jobs(  # noqa: PLR0913 - the public face: one argument an option
    cls: str | type,
    method: str,
    parameters: Iterable[Sequence[Any] | Mapping[str, Any] | str | None],
    *,
    priority: int = 2,
    delay: float = 0,
    retries: int | None = None,
    timeout: float | None = None,
    after: Iterable[Job | int] = (),
    after_failed: str = "cancel",
    session: Session | None = None,
    **unknown: Never,
) -> list[int]:
    """Enqueue many runs of one approved handler, in the caller's transaction: all of them or none.

    Args:
        cls: As in `run_background_job`, like everything that is not said here.
        method: The name of the method to call.
        parameters: For each job its parameters: a list, an object, or the JSON text of either.
        priority: Of each of the jobs.
        delay: Seconds to wait before they are due.
        retries: How often a failure of one is followed by another attempt.
        timeout: Seconds one attempt of one may take.
        after: Jobs, or their numbers, that must end before any of these may start.
        after_failed: What becomes of these if one of those fails or is cancelled: "cancel" or "run".
        session: Whose transaction to join.
        **unknown: Refused, each by its name; a `unique_key` is for one job.

    Returns:
        The numbers of the jobs, in the order of their parameters.

    Raises:
        ValidationError: Something is wrong with what was given; every problem is listed, with its place.
    """
    bound = binding.current()
    options = {
        "priority": priority,
        "delay": delay,
        "retries": retries,
        "timeout": timeout,
        "after": after,
        "after_failed": after_failed,
    }
    request = request_of(cls, method, parameters, options)._replace(unknown=unknown)
    valid, each = validate_many(request, bound.registry, bound.settings)
    with joined(session, bound) as own:
        return store.enqueue_many(own, valid, each, bound.settings, created_by=bound.actor())


def request_of(cls: object, method: object, parameters: object, options: Mapping[str, Any]) -> Request:
    """Put down what was asked for; options that there are none of are kept apart, to be refused."""
    known = {name: value for name, value in options.items() if name in _OPTIONS}
    return Request(
        class_name=f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else cls,
        method=method,
        parameters=parameters,
        unknown={name: value for name, value in options.items() if name not in _OPTIONS},
        **known,
    )


@contextmanager
def joined(session: Session | None, bound: Binding) -> Iterator[Session]:
    """Give whose transaction to join, or one that commits at the end where there is none."""
    host = session if session is not None else bound.host_session()
    if host is None:
        with bound.write() as own:
            yield own
        autostart.ensure_launcher(bound)
    else:
        host.info[_WAITING] = bound
        yield host


def _wake(bound: Binding) -> None:
    wake.send(bound.settings.wake_dir)
    autostart.ensure_launcher(bound)


# A savepoint is released with the same events, and its jobs cannot be seen yet.
def _before_commit(session: Session) -> None:
    if _WAITING in session.info and not session.in_nested_transaction():
        wake.notify(session)


def _after_commit(session: Session) -> None:
    if _WAITING in session.info and not session.in_nested_transaction():
        _wake(session.info.pop(_WAITING))


# For all sessions, once: a session may live no longer than one request.
event.listen(Session, "before_commit", _before_commit)
event.listen(Session, "after_commit", _after_commit)
