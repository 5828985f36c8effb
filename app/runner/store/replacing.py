"""A new job in the place of one that waits: the old one is cancelled, the new one stands where it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import bindparam, insert, select, update

from app.runner.backoff import rank_of
from app.runner.models import FIRST_LANE, Event, Job
from app.runner.states import waiting_state
from app.runner.store import dependencies

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.runner.settings import Settings
    from app.runner.store.rows import Row

# Made once: whoever enqueues in a rush would otherwise spend more on making them than on running them.
_JOBS: Final = cast("Table", Job.__table__)
_AT: Final = bindparam("at", type_=_JOBS.c.finished_at.type)
_OLD: Final = (
    select(
        _JOBS.c.run_at,
        _JOBS.c.rank,
        _JOBS.c.lane,
        _JOBS.c.is_held,
        _JOBS.c.attempts_used,
        _JOBS.c.waits_for,
    )
    .where(_JOBS.c.id == bindparam("of_job"), _JOBS.c.status == "pending")
    .with_for_update()
)
_CANCEL: Final = (
    update(_JOBS)
    .where(_JOBS.c.id == bindparam("of_job"), _JOBS.c.status == "pending")
    .values(
        status="cancelled",
        finished_at=_AT,
        unique_slot=dependencies.kept_slot(_AT),
        is_held=False,
    )
)
_SAY_WHY: Final = update(_JOBS).where(_JOBS.c.id == bindparam("of_job")).values(error=bindparam("why"))
_NOTE: Final = insert(cast("Table", Event.__table__))


class Replaced(NamedTuple):
    """A job that was cancelled for a newer one, and what people called its state."""

    job_id: int
    before: str


def take_place(session: Session, job_id: int, row: Row, settings: Settings) -> Replaced | None:
    """Cancel a job that has not begun and put the new row where it stood; None if it has begun or is gone.

    The new one is due when the earlier of both would have been, is held if the old one was, and goes
    before all others if a person had sent the old one ahead.
    """
    session.flush()
    now: dt.datetime = row["created_at"]
    old = session.execute(_OLD, {"of_job": job_id}).one_or_none()
    if old is None:
        return None
    cancelled = session.execute(_CANCEL, {"of_job": job_id, "at": now})
    if cancelled.rowcount != 1:  # type: ignore[attr-defined]
        return None
    _forget(session, job_id)
    row["run_at"] = min(row["run_at"], old.run_at)
    row["is_held"] = old.is_held
    row["rank"] = rank_of(row["run_at"], row["priority"], settings.ageing_seconds)
    if old.lane == FIRST_LANE:
        row |= {"lane": FIRST_LANE, "rank": old.rank, "run_at": old.run_at}
    return Replaced(job_id, _word(old, now))


def note(session: Session, replaced: Replaced, new_id: int, now: dt.datetime) -> None:
    """Say on the old job which one took its place, and settle what waited for it."""
    reason = f"replaced by job {new_id}"
    session.execute(_SAY_WHY, {"of_job": replaced.job_id, "why": reason})
    _forget(session, replaced.job_id)
    session.execute(_NOTE, [dependencies.cancelled_event(replaced.job_id, reason, now, replaced.before)])
    dependencies.settle(session, {replaced.job_id: "cancelled"}, now)


def _forget(session: Session, job_id: int) -> None:
    """Have the host's own copy of the job, if it holds one, read again."""
    held = session.identity_map.get(session.identity_key(Job, job_id))
    if held is not None:
        session.expire(held)


def _word(old: Any, now: dt.datetime) -> str:
    return waiting_state(
        now=now,
        run_at=old.run_at,
        is_held=old.is_held,
        attempts_used=old.attempts_used,
        waits_for=old.waits_for,
    )
