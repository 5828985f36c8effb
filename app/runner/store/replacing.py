"""A new job in the place of one that waits: the old one is cancelled, the new one stands where it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, literal, select, update

from app.runner.backoff import rank_of
from app.runner.models import FIRST_LANE, Event, Job
from app.runner.states import waiting_state
from app.runner.store import dependencies

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

    from app.runner.settings import Settings
    from app.runner.store.rows import Row


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
    old = session.execute(
        select(Job.run_at, Job.rank, Job.lane, Job.is_held, Job.attempts_used, Job.waits_for)
        .where(Job.id == job_id, Job.status == "pending")
        .with_for_update()
    ).one_or_none()
    if old is None or not _ended(session, job_id, now):
        return None
    row["run_at"] = min(row["run_at"], old.run_at)
    row["is_held"] = old.is_held
    row["rank"] = rank_of(row["run_at"], row["priority"], settings.ageing_seconds)
    if old.lane == FIRST_LANE:
        row |= {"lane": FIRST_LANE, "rank": old.rank, "run_at": old.run_at}
    return Replaced(job_id, _word(old, now))


def note(session: Session, replaced: Replaced, new_id: int, now: dt.datetime) -> None:
    """Say on the old job which one took its place, and settle what waited for it."""
    reason = f"replaced by job {new_id}"
    mine = update(Job).where(Job.id == replaced.job_id).values(error=reason)
    session.execute(mine.execution_options(synchronize_session="fetch"))
    event = dependencies.cancelled_event(replaced.job_id, reason, now, replaced.before)
    session.execute(insert(Event), [event])
    dependencies.settle(session, {replaced.job_id: "cancelled"}, now)


def _ended(session: Session, job_id: int, now: dt.datetime) -> bool:
    slot = dependencies.kept_slot(literal(now, Job.finished_at.type))
    ended = {"status": "cancelled", "finished_at": now, "unique_slot": slot, "is_held": False}
    mine = update(Job).where(Job.id == job_id, Job.status == "pending").values(ended)
    result = session.execute(mine.execution_options(synchronize_session="fetch"))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _word(old: Any, now: dt.datetime) -> str:
    return waiting_state(
        now=now,
        run_at=old.run_at,
        is_held=old.is_held,
        attempts_used=old.attempts_used,
        waits_for=old.waits_for,
    )
