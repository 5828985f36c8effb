"""A place in line and what it will take, said honestly: from what was measured, or not at all."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flask import current_app
from sqlalchemy import and_, func, or_, select

from app.academic.models import Submission, SubmissionJob
from app.db import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

# The runner's rows are only read, through the metadata that both share.
_TABLES: Final = Base.metadata.tables
_JOBS: Final = _TABLES["background_jobs"]
_ATTEMPTS: Final = _TABLES["background_job_attempts"]
_LAUNCHERS: Final = _TABLES["background_job_launchers"]

# Counted so far and no further: nobody waits for a number beyond it.
COUNTED_TO: Final = 1_000
# How many gradings tell how long one takes, and for how long that is not asked again.
_SAMPLE: Final = 50
_KEPT_SECONDS: Final = 30
_ALIVE_SECONDS: Final = 60
# Sooner than that nothing is late.
_PATIENCE_SECONDS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job stands in line."""

    number: int
    length: int
    slots: int
    # What is left to wait, and what it was to be in all; None where nothing was measured yet.
    seconds: float | None
    expected_seconds: float | None
    waited_seconds: float

    @property
    def is_overdue(self) -> bool:
        """Whether it has taken more than twice what was to be expected."""
        if self.expected_seconds is None or self.waited_seconds < _PATIENCE_SECONDS:
            return False
        return self.waited_seconds > 2 * self.expected_seconds

    @property
    def words(self) -> str:
        """The place in words."""
        if not self.slots:
            return "waits: nothing runs jobs at the moment. Your work is kept, and staff can see this"
        if self.number == 1 and not self.is_overdue:
            return "next in line"
        length = f"{COUNTED_TO:,} or more" if self.length >= COUNTED_TO else str(self.length)
        place = f"{_ordinal(self.number)} of {length}"
        if self.is_overdue:
            return f"takes longer than expected; {place}. Nothing is lost, and it goes on by itself"
        return place if self.seconds is None else f"{place}, about {_about(self.seconds)}"


def place_of(session: Session, row: Mapping[Any, Any], submission_id: int) -> Place:
    """The place of a job that is due: how many are before it, how many slots run, how long each takes."""
    now = dt.datetime.now(dt.UTC)
    is_due = and_(
        _JOBS.c.status == "pending", ~_JOBS.c.is_held, _JOBS.c.waits_for == 0, _JOBS.c.run_at <= now
    )
    is_before = or_(_JOBS.c.rank < row["rank"], and_(_JOBS.c.rank == row["rank"], _JOBS.c.id < row["id"]))
    ahead = _counted(session, select(_JOBS.c.id).where(is_due, is_before))
    length = _counted(session, select(_JOBS.c.id).where(is_due))
    slots = _slots(session, now)
    usual = usual_seconds(session, submission_id)
    waited = (now - row["run_at"]).total_seconds()
    return Place(
        number=ahead + 1,
        length=max(length, ahead + 1),
        slots=slots,
        seconds=_left(ahead, slots, usual),
        expected_seconds=_expected(session, row["run_at"], ahead, slots, usual, waited),
        waited_seconds=waited,
    )


def usual_seconds(session: Session, submission_id: int) -> float | None:
    """How long grading for the submission's assignment takes: the median of the last of them."""
    assignment_id = session.scalar(select(Submission.assignment_id).where(Submission.id == submission_id))
    # Every page that waits asks for it every second: once for all of them is enough.
    known: dict[int, tuple[dt.datetime, float | None]] = current_app.extensions.setdefault(
        "usual_seconds", {}
    )
    now = dt.datetime.now(dt.UTC)
    at, seconds = known.get(assignment_id or 0, (now, None))
    age = (now - at).total_seconds()
    if (assignment_id or 0) not in known or age > (_KEPT_SECONDS if seconds is not None else 2):
        seconds = _measured(session, assignment_id or 0)
        known[assignment_id or 0] = (now, seconds)
    return seconds


def _measured(session: Session, assignment_id: int) -> float | None:
    query = (
        select(_ATTEMPTS.c.started_at, _ATTEMPTS.c.finished_at)
        .join(SubmissionJob, SubmissionJob.job_id == _ATTEMPTS.c.job_id)
        .join(Submission, Submission.id == SubmissionJob.submission_id)
        .where(
            Submission.assignment_id == assignment_id,
            SubmissionJob.kind == "grading",
            _ATTEMPTS.c.outcome == "completed",
        )
        .order_by(_ATTEMPTS.c.id.desc())
        .limit(_SAMPLE)
    )
    spans = [(row.finished_at - row.started_at).total_seconds() for row in session.execute(query)]
    return statistics.median(spans) if spans else None


def _counted(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.limit(COUNTED_TO).subquery())) or 0


def _slots(session: Session, now: dt.datetime) -> int:
    is_alive = _LAUNCHERS.c.heartbeat_at > now - dt.timedelta(seconds=_ALIVE_SECONDS)
    query = select(func.sum(_LAUNCHERS.c.slots)).where(is_alive, ~_LAUNCHERS.c.is_draining)
    return int(session.scalar(query) or 0)


def _left(ahead: int, slots: int, usual: float | None) -> float | None:
    if usual is None or not slots:
        return None
    return usual * (math.ceil((ahead + 1) / slots))


def _expected(
    session: Session, since: dt.datetime, ahead: int, slots: int, usual: float | None, waited: float
) -> float | None:
    """What the wait was to be when it began: those that have begun since then were before it, too."""
    if usual is None or not slots or waited < _PATIENCE_SECONDS:
        return None
    newest = select(_ATTEMPTS.c.started_at).order_by(_ATTEMPTS.c.id.desc()).limit(COUNTED_TO).subquery()
    begun = session.scalar(select(func.count()).select_from(newest).where(newest.c.started_at >= since)) or 0
    return _left(ahead + begun, slots, usual)


def _about(seconds: float) -> str:
    if seconds < 10:  # noqa: PLR2004 - too short to be told apart
        return "10 s"
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{math.ceil(seconds / 10) * 10} s"
    return f"{math.ceil(seconds / 60)} min"


def _ordinal(number: int) -> str:
    last = 0 if 10 <= number % 100 <= 20 or number % 10 > 3 else number % 10  # noqa: PLR2004 - eleventh, fourth
    return f"{number:,}{'thstndrd'[2 * last : 2 * last + 2]}"
