"""Help for the tests of host applications: what was enqueued, and running it here and now.

Every function works on the runner of the present context: use it inside of `app.app_context()`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any, Final

from flask import current_app
from sqlalchemy import func, select

from app.runner import binding, processes, store
from app.runner.exec import Order, perform
from app.runner.models import IS_FREE, Job
from app.runner.outcome import decide
from app.runner.plain import plain_json
from app.runner.store.attempts import claim_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.runner.store import Claimed

_LAUNCHER: Final = "inline"
_ANYTHING: Final = object()
_ENDED: Final = {"stopped": None, "stop_signal": None, "exit_code": None, "signal": None}


class InlineRun:
    """The jobs that were enqueued since it began, and running them in this process."""

    def __init__(self, most_attempts: int) -> None:
        self.most_attempts = most_attempts
        self._refused: set[int] = set()
        with binding.current().read() as session:
            self._after = session.scalar(select(func.max(Job.id))) or 0

    def run(self) -> list[int]:
        """Run what is waiting and committed, in the order of its enqueue, and give the numbers of what ran.

        Delays and back-offs are not waited for; jobs that wait for others run after them, held ones stay.
        What the jobs enqueue runs too, and a job that is retried or snoozed runs again at once, up to
        `most_attempts` times in all.
        """
        _check_committed()
        ran: list[int] = []
        while (job_id := self._next()) is not None:
            if _run(job_id):
                ran.append(job_id)
            else:
                self._refused.add(job_id)
        return ran

    def _next(self) -> int | None:
        wanted = select(Job.id).where(IS_FREE, Job.id > self._after, Job.attempt < self.most_attempts)
        with binding.current().read() as session:
            return session.scalar(wanted.where(Job.id.not_in(self._refused)).order_by(Job.id).limit(1))


@contextlib.contextmanager
def run_inline(*, most_attempts: int = 10) -> Iterator[InlineRun]:
    """Run the jobs that are enqueued and committed inside of the block at its end, in this process.

    They are not run if the block raises. Call `run()` of what is given to run them sooner.
    """
    inline = InlineRun(most_attempts)
    yield inline
    inline.run()


def enqueued_jobs() -> list[Job]:
    """Give the jobs that wait to be run, oldest first; those of the present transaction too."""
    statement = select(Job).where(Job.status == "pending").order_by(Job.id)
    with _reading() as session:
        return list(session.scalars(statement.execution_options(populate_existing=True)))


def assert_enqueued(
    cls: str | type, method: str, parameters: Sequence[Any] | Mapping[str, Any] | object = _ANYTHING
) -> Job:
    """Give the oldest waiting job of a handler, with these parameters if any are given; fail without one."""
    __tracebackhide__ = True
    name = f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else cls
    wanted = None if parameters is _ANYTHING else plain_json(parameters)[0]
    jobs = enqueued_jobs()
    for job in jobs:
        is_it = (job.class_name, job.method) == (name, method)
        if is_it and (parameters is _ANYTHING or json.loads(job.parameters) == wanted):
            return job
    given = "" if parameters is _ANYTHING else f" {json.dumps(wanted, ensure_ascii=False)}"
    raise AssertionError(f"not enqueued: {name}@{method}{given}\n{_listed(jobs)}")


def assert_nothing_enqueued() -> None:
    """Fail if any job waits to be run."""
    __tracebackhide__ = True
    if jobs := enqueued_jobs():
        raise AssertionError(f"nothing should be enqueued\n{_listed(jobs)}")


def _listed(jobs: list[Job]) -> str:
    lines = [f"  job {job.id}: {job.handler} {job.shown_parameters or job.parameters}" for job in jobs]
    return "\n".join(["enqueued:", *lines]) if lines else "nothing is enqueued"


@contextlib.contextmanager
def _reading() -> Iterator[Session]:
    bound = binding.current()
    host = bound.host_session()
    if host is not None:
        yield host
        return
    with bound.read() as session:
        yield session


def _check_committed() -> None:
    """Refuse to wait for a transaction that the test itself holds open."""
    bound = binding.current()
    host = bound.host_session()
    if host is None or not host.in_transaction():
        return
    newest = select(func.max(Job.id))
    with bound.read() as session:
        if (host.scalar(newest) or 0) > (session.scalar(newest) or 0):
            raise RuntimeError("jobs were enqueued and not committed: commit before run_inline() runs them")


def _run(job_id: int) -> bool:
    """Run one attempt as a job's process would; False if the job may not run now."""
    bound = binding.current()
    with bound.write(wakes=False) as session:
        claimed = claim_one(session, job_id, _LAUNCHER, processes.host())
    if claimed is None:
        return False
    said: dict[str, Any] = {}

    def hear(message: Mapping[str, Any]) -> None:
        if message["kind"] == "result":
            said.update(message)
            return
        with bound.write(wakes=False) as session:
            progress = (message["done"], message["total"], message["message"])
            store.save_progress(session, job_id, claimed.attempt, progress)

    # A context of its own, as it has in its process: sessions are not shared.
    with current_app.app_context():
        perform(_order(claimed), bound.registry, "", hear)
    ended = _ENDED | {"pid": os.getpid()}
    end = decide(claimed, said, ended, cancelled_by=None, now=dt.datetime.now(dt.UTC))
    with bound.write(wakes=False) as session:
        store.finish(session, end, bound.settings)
    return True


def _order(claimed: Claimed) -> Order:
    return Order(
        job_id=claimed.job_id,
        attempt=claimed.attempt,
        class_name=claimed.class_name,
        method=claimed.method,
        parameters=claimed.parameters,
    )
