"""A job's rows as people change them: enqueue, start, hold, release, cancel, retry."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from app.runner import events
from app.runner.backoff import attempts_allowed, rank_of
from app.runner.errors import IllegalTransition, JobNotFound
from app.runner.models import FINAL_STATUSES, FIRST_LANE, Event, Job
from app.runner.states import waiting_state
from app.runner.store import dependencies

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.runner.settings import Settings
    from app.runner.validator import ValidJob

# A century ahead of all that wait, in microseconds; among themselves, first come, first served.
_FIRST_IN_LINE: Final = 100 * 366 * 86_400 * 1_000_000


def enqueue(session: Session, valid: ValidJob, settings: Settings, *, created_by: str | None = None) -> Job:
    """Store a valid job in the caller's transaction; with a unique key that is taken, give its holder.

    Raises `ValidationError` if it is to wait for a job that does not exist.
    """
    now = dt.datetime.now(dt.UTC)
    ancestors = dependencies.lock_ancestors(session, valid.after) if valid.after else {}
    job = _new(valid, settings, now, created_by)
    job.waits_for = dependencies.unfinished(ancestors)
    reason = dependencies.reason_to_cancel(ancestors, valid.after_failed)
    if reason is not None:
        job.status, job.finished_at, job.error = "cancelled", now, reason
        job.unique_slot = job.unique_key if job.unique_until else None
    stored = _store(session, job, now)
    if stored is job and ancestors:
        dependencies.add(session, job.id, ancestors, valid.after_failed)
        if reason is not None:
            session.execute(insert(Event), [dependencies.cancelled_event(job.id, reason, now)])
    return stored


def _new(valid: ValidJob, settings: Settings, now: dt.datetime, created_by: str | None) -> Job:
    run_at = now + dt.timedelta(seconds=valid.delay)
    taken = None if valid.unique_seconds is None else now + dt.timedelta(seconds=valid.unique_seconds)
    return Job(
        class_name=valid.handler.class_name,
        method=valid.handler.method,
        parameters=valid.parameters,
        shown_parameters=valid.shown_parameters,
        priority=valid.priority,
        status="pending",
        rank=rank_of(run_at, valid.priority, settings.ageing_seconds),
        run_at=run_at,
        max_attempts=attempts_allowed(valid.retries, valid.priority),
        timeout_seconds=valid.timeout,
        unique_key=valid.unique_key,
        unique_slot=valid.unique_key,
        unique_until=taken,
        created_by=created_by,
        created_at=now,
    )


def _store(session: Session, job: Job, now: dt.datetime) -> Job:
    if job.unique_key is None:
        session.add(job)
        session.flush()
        return job
    holder = select(Job).where(Job.unique_slot == job.unique_key).with_for_update()
    found = session.scalar(holder)
    if found is not None and not _freed(session, job.unique_key, now):
        return found
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        # Somebody else took the key in between; whose row it is can now be read.
        found = session.scalar(holder)
        if found is None:
            raise
        return found
    return job


def _freed(session: Session, key: str, now: dt.datetime) -> bool:
    """Take the key from a finished job that had it for a time which is over; False if it is still taken."""
    is_over = Job.status.in_(FINAL_STATUSES) & (Job.unique_until <= now)
    statement = update(Job).where(Job.unique_slot == key, is_over).values(unique_slot=None)
    result = session.execute(statement.execution_options(synchronize_session="fetch"))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


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
    if key is not None and session.scalar(rival) is not None and not _freed(session, key, now):
        state = f"{before}, and another job holds its unique key"
        raise IllegalTransition(job_id, "retry", state, "finished, unique")
    _change(session, job_id, "retry", "finished", Job.status.in_(FINAL_STATUSES), values)
    dependencies.wait_again(session, job_id, ancestors)
    _record(session, job_id, events.RETRIED, actor, before)


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
