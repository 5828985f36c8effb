"""What holds for all jobs of a class over all launchers: paused by a person, limited by the approved list."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.runner import events, window
from app.runner.errors import PauseRefused
from app.runner.models import IS_FREE, Event, Job, JobClass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.runner.settings import Approval, Settings

EVERYTHING: Final = "*"

_JOBS: Final = cast("Table", Job.__table__)
_CLASSES: Final = cast("Table", JobClass.__table__)

# Neither part depends on the job: a database asks each once for a claim, not for every row of it.
IS_OPEN: Final = and_(
    _JOBS.c.class_name.not_in(select(_CLASSES.c.name).where(_CLASSES.c.is_paused.is_(True))),
    ~select(_CLASSES.c.name)
    .where(_CLASSES.c.name == EVERYTHING, _CLASSES.c.is_paused.is_(True))
    .correlate(None)
    .exists(),
)


def pause(session: Session, name: str, settings: Settings, *, actor: str) -> None:
    """Have no more jobs of a class begin, or of all with `*`; those that run go on."""
    if name != EVERYTHING and name not in settings.approved:
        raise PauseRefused(f"{ascii(name)[:80]} is not an approved class, nor * for every class")
    now = dt.datetime.now(dt.UTC)
    values = {"is_paused": True, "paused_at": now, "paused_by": actor[:200]}
    _make_row(session, name)
    if not _changed(session, name, values, is_paused=False):
        raise PauseRefused(f"{_named(name)} is paused already")
    _record(session, name, events.PAUSED, actor)


def resume(session: Session, name: str, *, actor: str) -> None:
    """Let the jobs of a paused class begin again."""
    values = {"is_paused": False, "paused_at": None, "paused_by": None}
    if not _changed(session, name, values, is_paused=True):
        raise PauseRefused(f"{_named(name)} is not paused")
    _record(session, name, events.RESUMED, actor)


def know(session: Session, names: Iterable[str]) -> None:
    """Make the rows of classes that have none, before launchers have to wait for each other about it."""
    for name in sorted(names):
        _make_row(session, name)


def choose(
    session: Session,
    due: Callable[[Collection[str]], Sequence[Any]],
    limits: Mapping[str, Approval],
    most: int,
) -> list[Any]:
    """Pick rows that `due` gives for a claim: as many of each limited class as it may start now.

    `due` is asked again without a class that is full, so that others are not held up behind it. Who gets
    here has locked the rows of all limited classes, in one order, and another launcher waits.
    """
    rows = due(())
    if not any(row.class_name in limits for row in rows):
        return list(rows)
    rows_of_classes = _locked(session, limits)
    # Only now: while waiting for the lock, others may have started some.
    now = dt.datetime.now(dt.UTC)
    left = _room(session, limits, rows_of_classes, now)
    full, picked = set[str](), dict[int, Any]()
    while True:
        for row in rows:
            if row.id not in picked and left.get(row.class_name, 1) > 0:
                picked[row.id] = row
                if row.class_name in left:
                    left[row.class_name] -= 1
        newly_full = {row.class_name for row in rows if row.id not in picked} - full
        if not newly_full:
            break
        full |= newly_full
        rows = due(full)
    chosen = sorted(picked.values(), key=lambda row: (row.rank, row.id))[:most]
    _count_starts(session, limits, rows_of_classes, chosen, now)
    return chosen


def is_anything_left(session: Session) -> bool:
    """Whether any job could still run by itself: not if it is held, paused or blocked."""
    return session.execute(select(_JOBS.c.id).where(IS_FREE, IS_OPEN).limit(1)).first() is not None


def full_classes(session: Session, limits: Mapping[str, Approval], now: dt.datetime) -> set[str]:
    """Name the classes of which none may start now."""
    room = _room(session, limits, _rows(session, limits), now)
    return {name for name, free in room.items() if free <= 0}


def _room(
    session: Session, limits: Mapping[str, Approval], rows: Mapping[str, Any], now: dt.datetime
) -> dict[str, int]:
    """Count how many jobs of each limited class may start now."""
    running = _running(session, limits)
    return {
        name: min(_free(limit, running.get(name, 0)), _left(limit, rows.get(name), now))
        for name, limit in limits.items()
    }


def _free(limit: Approval, running: int) -> int:
    return _UNLIMITED if limit.max_running is None else limit.max_running - running


def _left(limit: Approval, row: Any, now: dt.datetime) -> int:
    if limit.rate is None:
        return _UNLIMITED
    return limit.rate.count - window.used(row.starts if row else None, limit.rate, now)


def _count_starts(
    session: Session,
    limits: Mapping[str, Approval],
    rows: Mapping[str, Any],
    chosen: Sequence[Any],
    now: dt.datetime,
) -> None:
    counts = Counter(row.class_name for row in chosen)
    for name, limit in limits.items():
        if limit.rate is not None and counts[name]:
            starts = window.with_starts(rows[name].starts, limit.rate, now, counts[name])
            session.execute(update(_CLASSES).where(_CLASSES.c.name == name).values(starts=starts))


def _running(session: Session, limits: Mapping[str, Approval]) -> dict[str, int]:
    counted = (
        select(_JOBS.c.class_name, func.count())
        .where(_JOBS.c.status == "running", _JOBS.c.class_name.in_(sorted(limits)))
        .group_by(_JOBS.c.class_name)
    )
    return {name: number for name, number in session.execute(counted)}  # noqa: C416 - rows are no pairs to mypy


def _locked(session: Session, limits: Mapping[str, Approval]) -> dict[str, Any]:
    rows = _rows(session, limits, for_update=True)
    missing = set(limits) - set(rows)
    know(session, missing)
    return _rows(session, limits, for_update=True) if missing else rows


def _rows(session: Session, limits: Mapping[str, Approval], *, for_update: bool = False) -> dict[str, Any]:
    wanted = select(_CLASSES).where(_CLASSES.c.name.in_(sorted(limits))).order_by(_CLASSES.c.name)
    if for_update:
        wanted = wanted.with_for_update()
    return {row.name: row for row in session.execute(wanted)}


def _make_row(session: Session, name: str) -> None:
    if session.scalar(select(_CLASSES.c.name).where(_CLASSES.c.name == name)) is not None:
        return
    try:
        with session.begin_nested():
            session.execute(insert(_CLASSES).values(name=name, is_paused=False))
    except IntegrityError:
        return  # somebody else was quicker; the row is what counts


def _changed(session: Session, name: str, values: dict[str, Any], *, is_paused: bool) -> bool:
    guard = _CLASSES.c.is_paused.is_(is_paused)
    result = session.execute(update(_CLASSES).where(_CLASSES.c.name == name, guard).values(values))
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _record(session: Session, name: str, happened: str, actor: str) -> None:
    before, after = ("open", "paused") if happened == events.PAUSED else ("paused", "open")
    now = dt.datetime.now(dt.UTC)
    values = {"at": now, "actor": actor[:200], "name": happened, "before": before, "after": after}
    session.add(Event(subject=name, **values))
    session.flush()


def _named(name: str) -> str:
    return "everything" if name == EVERYTHING else ascii(name)[1:81].rstrip("'")


_UNLIMITED: Final = 10**9
