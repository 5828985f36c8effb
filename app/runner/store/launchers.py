"""Launchers as rows: alive, gone, dead; and what the dead leave behind."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from app.runner import events
from app.runner.models import FINAL_STATUSES, Attempt, Event, Job, LauncherRow
from app.runner.store.attempts import Finish, finish

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from app.runner.settings import Settings

# Crashes after which a job is taken for poison: it would take down whatever runs it.
MOST_CRASHES: Final = 3
RESCUE: Final = "rescue"


def register(session: Session, row: LauncherRow) -> None:
    """Note that a launcher is there."""
    session.add(row)
    session.flush()


def beat(session: Session, launcher_id: str, *, is_draining: bool) -> bool:
    """Note that a launcher lives; False when it was given up for dead, and must believe it."""
    statement = update(LauncherRow).where(LauncherRow.id == launcher_id)
    values = {"heartbeat_at": dt.datetime.now(dt.UTC), "is_draining": is_draining}
    result = session.execute(statement.values(values).execution_options(synchronize_session=False))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def dismiss(session: Session, launcher_id: str) -> None:
    """Forget a launcher that left in good order."""
    session.execute(delete(LauncherRow).where(LauncherRow.id == launcher_id))


def rescue(session: Session, launcher_id: str, settings: Settings) -> list[Finish]:
    """Take every job from a launcher that is proved dead, and its processes with it.

    Each is cancelled if that was asked for, failed at the third crash, and otherwise given back
    with its attempt. The caller has seen to it that none of its processes is alive.
    """
    running = select(Job).where(Job.status == "running", Job.launcher_id == launcher_id)
    ends = [_end_of(job) for job in session.scalars(running.with_for_update())]
    done = [end for each in ends if (end := finish(session, each, settings))]
    session.add_all(_event(end) for end in done)
    session.flush()
    dismiss(session, launcher_id)
    return done


def prune(session: Session, *, before: dt.datetime, limit: int = 500) -> list[int]:
    """Delete up to `limit` jobs that finished before a moment, oldest first, with all their history.

    Their numbers are given, so that their logs can follow.
    """
    old = select(Job.id).where(Job.status.in_(FINAL_STATUSES), Job.finished_at < before)
    ids = list(session.scalars(old.order_by(Job.id).limit(limit)))
    for table in (Event, Attempt):
        session.execute(delete(table).where(table.job_id.in_(ids)))
    session.execute(delete(Job).where(Job.id.in_(ids)))
    return ids


def _end_of(job: Job) -> Finish:
    now = dt.datetime.now(dt.UTC)
    said = "its launcher died"
    common: dict[str, Any] = {"job_id": job.id, "attempt": job.attempt, "finished_at": now, "crash": 1}
    common |= {"priority": job.priority, "outcome": "crashed", "gives_back": 1}
    if job.cancel_requested_at is not None:
        return Finish(**common | {"outcome": "cancelled"}, status="cancelled", error=f"cancelled; {said}")
    if job.crashes + 1 >= MOST_CRASHES:
        return Finish(**common, status="failed", error=f"{said}; crash {job.crashes + 1} is the last")
    return Finish(**common, status="pending", error=said, run_at=now)


def _event(end: Finish) -> Event:
    return Event(
        job_id=end.job_id,
        at=end.finished_at,
        actor=RESCUE,
        name=events.RESCUED,
        before="running",
        after=end.status,
        note=end.error,
    )


def known(session: Session, exclude: Iterable[str] = ()) -> list[LauncherRow]:
    """Give every launcher on record but those named."""
    return list(session.scalars(select(LauncherRow).where(LauncherRow.id.not_in(list(exclude)))))


def abandoned(session: Session, exclude: Iterable[str] = ()) -> list[str]:
    """Name the launchers that are on no record any more, though jobs are recorded as run by them.

    One that was given up for dead while it slept may claim jobs before it learns of it.
    """
    running = select(Job.launcher_id).where(Job.status == "running", Job.launcher_id.is_not(None))
    unknown = running.where(Job.launcher_id.not_in(select(LauncherRow.id))).distinct()
    return [each for each in session.scalars(unknown) if each is not None and each not in set(exclude)]
