"""Questions about classes: what is paused and by whom, what is limited, and why a job of one must wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import ScalarSelect, func, select

from app.runner import window
from app.runner.models import Job, JobClass
from app.runner.queries import words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from app.runner.settings import Approval

EVERYTHING: Final = "*"


@dataclass(frozen=True, kw_only=True)
class ClassView:
    """An approved class, or `*` for all of them, as its page shows it."""

    name: str
    is_paused: bool
    paused_at: dt.datetime | None
    paused_by: str | None
    running: int
    max_running: int | None
    rate: str | None
    # How many starts its rate counts now; None without a rate.
    started: int | None

    @property
    def title(self) -> str:
        """The name for people."""
        return "every class" if self.name == EVERYTHING else self.name


def paused_classes(session: Session) -> list[JobClass]:
    """List what is paused, everything first."""
    paused = select(JobClass).where(JobClass.is_paused.is_(True)).order_by(JobClass.name)
    return sorted(session.scalars(paused), key=lambda row: (row.name != EVERYTHING, row.name))


def job_classes(session: Session, approved: Mapping[str, Approval], now: dt.datetime) -> list[ClassView]:
    """List every approved class, and before them the one that stands for all."""
    rows = {row.name: row for row in session.scalars(select(JobClass))}
    counted = select(Job.class_name, func.count()).where(Job.status == "running").group_by(Job.class_name)
    running = {name: number for name, number in session.execute(counted)}  # noqa: C416 - rows are no pairs to mypy
    running[EVERYTHING] = sum(running.values())
    names = [EVERYTHING, *sorted({*approved, *(name for name, row in rows.items() if row.is_paused)} - {"*"})]
    return [_view(name, rows.get(name), approved.get(name), running.get(name, 0), now) for name in names]


def paused_name(class_name: str) -> ScalarSelect[str]:
    """Select what keeps a class from starting: its own name, or `*`; NULL when nothing is paused."""
    names = (EVERYTHING, class_name)
    paused = select(func.max(JobClass.name)).where(JobClass.name.in_(names), JobClass.is_paused.is_(True))
    return paused.scalar_subquery()


def explain_pause(session: Session, name: str) -> str:
    """Say that a class is paused, and who did it."""
    row = session.get(JobClass, name)
    what = "Everything" if name == EVERYTHING else f"The class {name}"
    if row is None or row.paused_at is None:
        return f"{what} is paused."
    return (
        f"{what} is paused, by {words.visible(row.paused_by or '')} at {row.paused_at:%Y-%m-%d %H:%M:%S} UTC."
    )


def explain_limit(session: Session, name: str, limit: Approval | None, now: dt.datetime) -> str | None:
    """Say which limit of its class keeps a job waiting; None when it has room."""
    if limit is None or not (limit.max_running or limit.rate):
        return None
    counted = select(func.count()).where(Job.status == "running", Job.class_name == name)
    running = session.scalar(counted) or 0
    if limit.max_running is not None and running >= limit.max_running:
        return f"{running} of its class are running, and no more than {limit.max_running} may at once."
    row = session.get(JobClass, name)
    if limit.rate is None or row is None or (free := window.frees_at(row.starts, limit.rate, now)) is None:
        return None
    return f"The rate of its class, {limit.rate.text}, is used up until {free:%Y-%m-%d %H:%M:%S} UTC."


def _view(
    name: str, row: JobClass | None, limit: Approval | None, running: int, now: dt.datetime
) -> ClassView:
    return ClassView(
        name=name,
        is_paused=bool(row and row.is_paused),
        paused_at=row.paused_at if row else None,
        paused_by=words.visible(row.paused_by) if row and row.paused_by else None,
        running=running,
        max_running=limit.max_running if limit else None,
        rate=limit.rate.text if limit and limit.rate else None,
        started=_started(row, limit, now) if limit else None,
    )


def _started(row: JobClass | None, limit: Approval, now: dt.datetime) -> int | None:
    return None if limit.rate is None else window.used(row.starts if row else None, limit.rate, now)
