"""New jobs: one or many, in the caller's transaction or in one of their own."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.runner.models import Event, Job
from app.runner.store import dependencies, many, replacing, rows
from app.runner.store.jobs import freed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Engine
    from sqlalchemy.orm import Session

    from app.runner.settings import Settings
    from app.runner.store.rows import Row
    from app.runner.validator import Shown, ValidJob


def enqueue(session: Session, valid: ValidJob, settings: Settings, *, created_by: str | None = None) -> Job:
    """Store a valid job in the caller's transaction; with a unique key that is taken, give its holder.

    Raises `ValidationError` if it is to wait for a job that does not exist.
    """
    new = _new(session, valid, settings, created_by)
    old = None
    if valid.replaces is not None:
        old = replacing.take_place(session, valid.replaces, new.row, settings)
    if valid.unique_key is None:
        job_id = rows.insert_row(rows.connection_of(session), new.row)
    else:
        found = _stored(session, new.row)
        if isinstance(found, Job):
            if old is not None:
                replacing.note(session, old, found.id, new.row["created_at"])
            return found
        job_id = found
    _link(session, [job_id], new)
    if old is not None:
        replacing.note(session, old, job_id, new.row["created_at"])
    return rows.kept(session, new.row, job_id)


def can_be_alone(valid: ValidJob, engine: Engine) -> bool:
    """Whether `enqueue_alone` will do: one INSERT is all there is to do, and SQLite commits it by itself."""
    return engine.dialect.name == "sqlite" and not (valid.unique_key or valid.after or valid.replaces)


def enqueue_alone(
    engine: Engine, valid: ValidJob, settings: Settings, *, created_by: str | None = None
) -> Job:
    """Store a job in a transaction of its own."""
    row = rows.row_of(valid, settings, dt.datetime.now(dt.UTC), created_by)
    return rows.job_of(row, rows.insert_alone(engine, row))


def enqueue_many(
    session: Session,
    valid: ValidJob,
    parameters: Sequence[Shown],
    settings: Settings,
    *,
    created_by: str | None = None,
) -> list[int]:
    """Store a job for each of the parameters, otherwise alike, and give their numbers in that order."""
    new = _new(session, valid, settings, created_by)
    ids = many.insert_rows(rows.connection_of(session), new.row, parameters)
    _link(session, ids, new)
    return ids


def enqueue_all(
    session: Session, valid: Iterable[ValidJob], settings: Settings, *, created_by: str | None = None
) -> list[Job]:
    """Store jobs of any kind in this order, those that are alike together; as `enqueue` does one by one."""
    stored: list[Job] = []
    for alike, group in groupby(valid, _in_common):
        some = list(group)
        if alike.unique_key or alike.replaces or len(some) == 1:
            stored += [enqueue(session, each, settings, created_by=created_by) for each in some]
            continue
        new = _new(session, alike, settings, created_by)
        given = [(each.parameters, each.shown_parameters) for each in some]
        ids = many.insert_rows(rows.connection_of(session), new.row, given)
        _link(session, ids, new)
        stored += [
            rows.kept(session, new.row | {"parameters": text, "shown_parameters": shown}, job_id)
            for job_id, (text, shown) in zip(ids, given, strict=True)
        ]
    return stored


def _in_common(valid: ValidJob) -> ValidJob:
    return valid._replace(parameters="[]", shown_parameters=None)


class _New(NamedTuple):
    """A row that is to be stored, and what it waits for."""

    row: Row
    ancestors: dict[int, str]
    policy: str


def _new(session: Session, valid: ValidJob, settings: Settings, created_by: str | None) -> _New:
    now = dt.datetime.now(dt.UTC)
    row = rows.row_of(valid, settings, now, created_by)
    if not valid.after:
        return _New(row, {}, valid.after_failed)
    ancestors = dependencies.lock_ancestors(session, valid.after)
    row["waits_for"] = dependencies.unfinished(ancestors)
    reason = dependencies.reason_to_cancel(ancestors, valid.after_failed)
    if reason is not None:
        slot = row["unique_key"] if row["unique_until"] else None
        row |= {"status": "cancelled", "finished_at": now, "error": reason, "unique_slot": slot}
    return _New(row, ancestors, valid.after_failed)


def _link(session: Session, ids: list[int], new: _New) -> None:
    """Note what new jobs wait for, and that they never will run if so it is."""
    if not new.ancestors:
        return
    for job_id in ids:
        dependencies.add(session, job_id, new.ancestors, new.policy)
    if new.row["status"] == "cancelled":
        reason, at = new.row["error"], new.row["created_at"]
        session.execute(insert(Event), [dependencies.cancelled_event(job_id, reason, at) for job_id in ids])


def _stored(session: Session, row: Row) -> int | Job:
    """Give the number of the new job, or the job that has its key.

    Looked for without a lock: MariaDB would lock the place where the key is not, and two writers that have
    done so with any two keys cannot both insert.
    """
    key = row["unique_key"]
    found = session.scalar(select(Job.id).where(Job.unique_slot == key))
    holder = None if found is None else _kept_holder(session, Job.id == found, key)
    if holder is not None and not freed(session, key, row["created_at"]):
        return holder
    try:
        return _inserted(session, row)
    except IntegrityError:
        # Somebody else took the key in between; whose row it is can now be read.
        holder = _kept_holder(session, Job.unique_slot == key, key)
        if holder is None:
            raise
        return holder


def _kept_holder(session: Session, which: ColumnElement[bool], key: str) -> Job | None:
    """Give the job that has a key, which then has it until this transaction ends.

    Shared with others who want the key: two that asked for more would wait for each other.
    """
    holder = select(Job).where(which).with_for_update(read=True).execution_options(populate_existing=True)
    found = session.scalar(holder)
    return found if found is not None and found.unique_slot == key else None


def _inserted(session: Session, row: Row) -> int:
    """Store a job whose key may be taken; the transaction goes on if it is."""
    connection = rows.connection_of(session)
    if connection.dialect.name != "postgresql":
        # What a savepoint would undo has not been done; and a deadlock, which ends it too, stays in sight.
        return rows.insert_row(connection, row)
    with session.begin_nested():
        return rows.insert_row(rows.connection_of(session), row)
