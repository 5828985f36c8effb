"""Jobs that wait for others: rows that say for which, and a count on the job that the claim reads.

`waits_for` is always the number of a job's rows that are not settled. A row is settled once, in the
transaction that ends the other job; who enqueues after a job locks that job first, so that its end
either is seen by the enqueue or sees the new row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import BindParameter, bindparam, case, insert, select, update

from app.runner import events
from app.runner.errors import Problem, ValidationError
from app.runner.models import FINAL_STATUSES, Dependency, Event, Job

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

RUNNER: Final = "runner"

# Every database takes so many values in one statement.
_CHUNK: Final = 1000

_JOBS: Final = cast("Table", Job.__table__)
_ROWS: Final = cast("Table", Dependency.__table__)


def lock_ancestors(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Keep the jobs to wait for from ending until this transaction has, and give their statuses."""
    statuses = _locked_statuses(session, ids)
    if missing := [job_id for job_id in ids if job_id not in statuses]:
        raise ValidationError([Problem("after", f"there is no job {job_id}") for job_id in missing])
    return statuses


def add(session: Session, job_id: int, statuses: Mapping[int, str], policy: str) -> None:
    """Note what a new job waits for; what has ended already is settled already."""
    rows = [
        {"job_id": job_id, "after_id": after, "policy": policy, "is_settled": status in FINAL_STATUSES}
        for after, status in statuses.items()
    ]
    if rows:
        session.execute(insert(_ROWS), rows)


def unfinished(statuses: Mapping[int, str]) -> int:
    """Count the jobs that are still to end."""
    return sum(status not in FINAL_STATUSES for status in statuses.values())


def reason_to_cancel(statuses: Mapping[int, str], policy: str) -> str | None:
    """Say which end forbids a job that waits for these to run, if any does."""
    ends = ((job_id, status) for job_id, status in statuses.items() if status in {"failed", "cancelled"})
    found = next(ends, None) if policy == "cancel" else None
    return found and _reason(*found)


def settle(session: Session, ended: Mapping[int, str], now: dt.datetime) -> None:
    """Release or cancel what waits for jobs that have ended, and what waits for the cancelled in turn."""
    level = dict(ended)
    while level:
        following: dict[int, str] = {}
        for ids in _chunks(sorted(level)):
            cancelled = _settle(session, {job_id: level[job_id] for job_id in ids}, now)
            following |= dict.fromkeys(cancelled, "cancelled")
        level = following


def lock_ancestors_of(session: Session, job_id: int) -> dict[int, str]:
    """Keep the jobs that a job was to wait for from ending meanwhile, and give their statuses.

    To be asked before the job itself is changed: an end locks in the same order.
    """
    ids = session.scalars(select(_ROWS.c.after_id).where(_ROWS.c.job_id == job_id))
    return _locked_statuses(session, list(ids))


def wait_again(session: Session, job_id: int, statuses: Mapping[int, str]) -> None:
    """Have a job that runs again wait for those that have not ended.

    That the others failed or were cancelled was known to who asked for it.
    """
    for is_settled in (True, False):
        chosen = [each for each, status in statuses.items() if (status in FINAL_STATUSES) is is_settled]
        for some in _chunks(chosen):
            mine = (_ROWS.c.job_id == job_id) & _ROWS.c.after_id.in_(some)
            session.execute(update(_ROWS).where(mine).values(is_settled=is_settled))


def kept_slot(now: ColumnElement[dt.datetime]) -> ColumnElement[str | None]:
    """Give what a finished job's unique slot becomes: free, unless its key is taken for a time."""
    return case((_JOBS.c.unique_until > now, _JOBS.c.unique_slot), else_=None)


def _settle(session: Session, ended: Mapping[int, str], now: dt.datetime) -> list[int]:
    """Settle the rows of jobs that have ended; gives the dependents that were cancelled for it."""
    rows = session.execute(_OPEN, {"ids": list(ended)}).all()
    if not rows:
        return []
    session.execute(_SETTLE, {"ids": list(ended)})
    _count_down(session, Counter(row.job_id for row in rows))
    reasons: dict[int, str] = {}
    for row in rows:
        if row.policy == "cancel" and ended[row.after_id] != "completed":
            reasons.setdefault(row.job_id, _reason(row.after_id, ended[row.after_id]))
    return [job_id for ids in _chunks(sorted(reasons)) for job_id in _cancel(session, ids, reasons, now)]


def _count_down(session: Session, counts: Mapping[int, int]) -> None:
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for job_id, number in sorted(counts.items()):
        alike[number].append(job_id)
    for number, ids in alike.items():
        for some in _chunks(ids):
            session.execute(_COUNT_DOWN, {"ids": some, "number": number})


def _cancel(session: Session, ids: list[int], reasons: Mapping[int, str], now: dt.datetime) -> list[int]:
    found = session.execute(_WAITING, {"ids": ids})
    waiting = {row.id: "held" if row.is_held else "blocked" for row in found}
    if waiting:
        session.execute(_CANCEL, [{"of_job": each, "at": now, "why": reasons[each]} for each in waiting])
        rows = [cancelled_event(each, reasons[each], now, was) for each, was in waiting.items()]
        session.execute(insert(Event), rows)
    return list(waiting)


def cancelled_event(job_id: int, reason: str, now: dt.datetime, was: str = "blocked") -> dict[str, object]:
    """Give the row of the event that the runner cancelled a job for the end of another."""
    return {
        "job_id": job_id,
        "at": now,
        "actor": RUNNER,
        "name": events.CANCELLED,
        "before": was,
        "after": "cancelled",
        "note": reason,
    }


def _reason(job_id: int, status: str) -> str:
    return f"job {job_id} {'failed' if status == 'failed' else 'was cancelled'}"


def _locked_statuses(session: Session, ids: Iterable[int]) -> dict[int, str]:
    statuses: dict[int, str] = {}
    for some in _chunks(sorted(ids)):
        statuses |= {row.id: row.status for row in session.execute(_STATUSES, {"ids": some})}
    return statuses


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield list(ids[start : start + _CHUNK])


_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_AT: Final = bindparam("at", type_=_JOBS.c.finished_at.type)
# Shared: others may enqueue after the same job at the same time; its end may not come in between.
_STATUSES: Final = (
    select(_JOBS.c.id, _JOBS.c.status)
    .where(_JOBS.c.id.in_(_IDS))
    .order_by(_JOBS.c.id)
    .with_for_update(read=True)
)
_IS_OPEN: Final = _ROWS.c.after_id.in_(_IDS) & _ROWS.c.is_settled.is_(False)
# Locking, so that it reads what is committed by now, whatever this transaction has read before.
_OPEN: Final = select(_ROWS.c.job_id, _ROWS.c.after_id, _ROWS.c.policy).where(_IS_OPEN).with_for_update()
_SETTLE: Final = update(_ROWS).where(_IS_OPEN).values(is_settled=True)
_COUNT_DOWN: Final = (
    update(_JOBS).where(_JOBS.c.id.in_(_IDS)).values(waits_for=_JOBS.c.waits_for - bindparam("number"))
)
_WAITING: Final = (
    select(_JOBS.c.id, _JOBS.c.is_held)
    .where(_JOBS.c.id.in_(_IDS), _JOBS.c.status == "pending")
    .order_by(_JOBS.c.id)
    .with_for_update()
)
_CANCEL: Final = (
    update(_JOBS)
    .where(_JOBS.c.id == bindparam("of_job"), _JOBS.c.status == "pending")
    .values(
        status="cancelled",
        finished_at=_AT,
        error=bindparam("why"),
        is_held=False,
        unique_slot=kept_slot(_AT),
    )
)
