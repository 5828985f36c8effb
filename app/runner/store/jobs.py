"""A job's rows as people change them: start, hold, release, cancel, retry."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, literal, select, update

from app.runner import events
from app.runner.backoff import rank_of
from app.runner.errors import IllegalTransition, JobNotFound
from app.runner.models import FINAL_STATUSES, FIRST_LANE, Event, Job
from app.runner.states import waiting_state
from app.runner.store import dependencies

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# A century ahead of all that wait, in microseconds; among themselves, first come, first served.
_FIRST_IN_LINE: Final = 100 * 366 * 86_400 * 1_000_000


def start_now(session: Session, job_id: int, *, actor: str) -> None:
    """Have a pending job run as soon as a slot is free, before all others; not one that waits for others."""
    now = dt.datetime.now(dt.UTC)
    first = {"lane": FIRST_LANE, "rank": rank_of(now, 1, 0) - _FIRST_IN_LINE}
    values = {"run_at": now, "is_held": False, **first}
    guard = (Job.status == "pending") & (Job.waits_for == 0)
    before = _state_now(session, job_id)
    _change(session, job_id, "start", "pending", guard, values)
    _record(session, job_id, events.STARTED, actor, before)


def hold(session: Session, job_id: int, *, actor: str) -> None:
    """Keep a pending job from being claimed until it is released."""
    guard = (Job.status == "pending") & Job.is_held.is_(False)
    before = _state_now(session, job_id)
    _change(session, job_id, "hold", "pending", guard, {"is_held": True})
    _record(session, job_id, events.HELD, actor, before)


def release(session: Session, job_id: int, *, actor: str) -> None:
    """Let a held job be claimed again."""
    guard = (Job.status == "pending") & Job.is_held.is_(True)
    before = _state_now(session, job_id)
    _change(session, job_id, "release", "held", guard, {"is_held": False})
    _record(session, job_id, events.RELEASED, actor, before)


def cancel(session: Session, job_id: int, *, actor: str) -> None:
    """End a job: a pending one at once, a running one when its processes are seen dead.

    Jobs that wait for it are released or cancelled when it ends.
    """
    now = dt.datetime.now(dt.UTC)
    slot = dependencies.kept_slot(literal(now, Job.finished_at.type))
    ended = {"status": "cancelled", "finished_at": now, "unique_slot": slot, "is_held": False}
    before = _state_now(session, job_id)
    if _changed(session, job_id, Job.status == "pending", ended):
        _record(session, job_id, events.CANCELLED, actor, before)
        dependencies.settle(session, {job_id: "cancelled"}, now)
        return
    guard = (Job.status == "running") & Job.cancel_requested_at.is_(None)
    asked = {"cancel_requested_at": now, "cancel_requested_by": actor[:200]}
    _change(session, job_id, "cancel", "pending or running", guard, asked)
    _record(session, job_id, events.CANCEL_REQUESTED, actor, before)


def retry(session: Session, job_id: int, *, actor: str) -> None:
    """Have a finished job run again: its history stays, its budget of attempts is new.

    It waits again for those of its jobs that have not ended. What waited for it and was cancelled with
    it stays cancelled; what was released stays released.
    """
    job = session.get(Job, job_id, populate_existing=True)
    if job is None:
        raise JobNotFound(job_id)
    before, key = job.status, job.unique_key
    ancestors = dependencies.lock_ancestors_of(session, job_id)
    now = dt.datetime.now(dt.UTC)
    values: dict[str, Any] = {
        "status": "pending",
        "run_at": now,
        "rank": rank_of(now, 1, 0),
        "lane": 1,
        "attempts_used": 0,
        "crashes": 0,
        "finished_at": None,
        "started_at": None,
        "cancel_requested_at": None,
        "cancel_requested_by": None,
        "progress_done": None,
        "progress_total": None,
        "progress_message": None,
        "result": None,
        "unique_slot": key,
        "waits_for": dependencies.unfinished(ancestors),
    }
    rival = select(Job.id).where(Job.unique_slot == key, Job.id != job_id)
    if key is not None and session.scalar(rival) is not None and not freed(session, key, now):
        state = f"{before}, and another job holds its unique key"
        raise IllegalTransition(job_id, "retry", state, "finished, unique")
    _change(session, job_id, "retry", "finished", Job.status.in_(FINAL_STATUSES), values)
    dependencies.wait_again(session, job_id, ancestors)
    _record(session, job_id, events.RETRIED, actor, before)


def freed(session: Session, key: str, now: dt.datetime) -> bool:
    """Take the key from a finished job that had it for a time which is over; False if it is still taken."""
    is_over = Job.status.in_(FINAL_STATUSES) & (Job.unique_until <= now)
    statement = update(Job).where(Job.unique_slot == key, is_over).values(unique_slot=None)
    result = session.execute(statement.execution_options(synchronize_session="fetch"))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _change(
    session: Session, job_id: int, verb: str, allowed: str, guard: ColumnElement[bool], values: dict[str, Any]
) -> None:
    if not _changed(session, job_id, guard, values):
        job = session.get(Job, job_id)
        if job is None:
            raise JobNotFound(job_id)
        raise IllegalTransition(job_id, verb, _state(job), allowed)


def _changed(session: Session, job_id: int, guard: ColumnElement[bool], values: dict[str, Any]) -> bool:
    statement = update(Job).where(Job.id == job_id, guard).values(values)
    result = session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _state_now(session: Session, job_id: int) -> str:
    """Give the word that people see for a job, and keep it as it is until this transaction ends."""
    job = session.get(Job, job_id, populate_existing=True, with_for_update=True)
    if job is None:
        raise JobNotFound(job_id)
    return _state(job)


def _state(job: Job) -> str:
    """Give the word that says why: a status alone would contradict the refusal of "hold" for a held job."""
    if job.status == "pending":
        return waiting_state(
            now=dt.datetime.now(dt.UTC),
            run_at=job.run_at,
            is_held=job.is_held,
            attempts_used=job.attempts_used,
            waits_for=job.waits_for,
        )
    if job.status == "running" and job.cancel_requested_at is not None:
        return "cancelling"
    return job.status


def _record(session: Session, job_id: int, name: str, actor: str, before: str) -> None:
    after, now = _state_now(session, job_id), dt.datetime.now(dt.UTC)
    session.add(Event(job_id=job_id, at=now, actor=actor[:200], name=name, before=before, after=after))
    session.flush()
