"""Enqueueing: the one function that host applications call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, Never

from sqlalchemy import event

from app.runner import autostart, binding, store, wake
from app.runner.validator import Request, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from app.runner.binding import Binding
    from app.runner.models import Job

_LISTENING = "runner_wakes_after_commit"
_OPTIONS: Final = {field.name for field in fields(Request)} - {
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
        **unknown,
    }
    valid = validate(request_of(cls, method, parameters, options), bound.registry, bound.settings)
    with joined(session, bound) as own:
        return store.enqueue(own, valid, bound.settings, created_by=bound.actor())


def request_of(cls: object, method: object, parameters: object, options: Mapping[str, Any]) -> Request:
    """Put down what was asked for; options that there are none of are kept apart, to be refused."""
    known = {name: value for name, value in options.items() if name in _OPTIONS}
    return Request(
        class_name=f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else cls,
        method=method,
        parameters=_as_dict(parameters),
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
        _wake_after_commit(host, bound)
        yield host


def _as_dict(parameters: object) -> object:
    """Give mappings of other kinds as a dict; all else is left for the validator to judge."""
    return dict(parameters) if isinstance(parameters, Mapping) else parameters


def _wake_after_commit(session: Session, bound: Binding) -> None:
    if session.info.get(_LISTENING):
        return
    session.info[_LISTENING] = True

    def wake_up(committed: Session) -> None:
        # A savepoint is released with the same event, and its job cannot be seen yet.
        if not committed.in_nested_transaction():
            wake.send(bound.settings.wake_dir)
            autostart.ensure_launcher(bound)

    event.listen(session, "before_commit", wake.notify)
    event.listen(session, "after_commit", wake_up)
