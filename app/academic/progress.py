"""How far the jobs of a submission are, in words for the student and for staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from app.academic.gradebook.models import WaitingGrading
from app.academic.models import JOB_KINDS, Submission, SubmissionJob
from app.academic.waiting import place_of
from app.db import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

# The runner's rows are only read, through the metadata that both share.
_JOBS: Final = Base.metadata.tables["background_jobs"]

TITLES: Final = {
    "grading": "Grading",
    "notification": "E-mail receipt",
    "analytics": "Course statistics",
    "similarity": "Similarity check",
}
_SLOWEST_POLL: Final = 15
_PAUSED: Final = "waits: grading of this assignment is paused by staff; your work and its time are kept"


_SUPERSEDED: Final = "left out, as a newer attempt came first"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One job of a submission: its state and what a person reads about it."""

    kind: str
    title: str
    job_id: int
    # The runner's status, or `scheduled` and `retrying`, which follow from it.
    state: str
    words: str
    done: float = 0
    total: float = 0
    # What is counted. The job's own message is for staff: it may name a hidden test.
    unit: str = ""
    # Seconds until a page that shows it asks again: the longer the line, the less there is to see.
    poll_seconds: int = 1

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in {"pending", "scheduled", "retrying", "held", "running"}


def steps_of(session: Session, submission_id: int) -> list[Step]:
    """The latest job of each kind, in the order people read them."""
    query = (
        select(SubmissionJob.kind, _JOBS)
        .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
        .where(SubmissionJob.submission_id == submission_id)
        .order_by(_JOBS.c.id)
    )
    latest = {row["kind"]: row for row in session.execute(query).mappings()}
    submission = session.get(Submission, submission_id)
    is_superseded = submission is not None and submission.superseded_at is not None
    is_waiting = session.get(WaitingGrading, submission_id) is not None
    steps = [_step(session, latest[kind], submission_id) for kind in JOB_KINDS if kind in latest]
    if is_waiting:
        return [replace(it, state="held", words=_PAUSED) if it.kind == "grading" else it for it in steps]
    if is_superseded:
        return [_superseded(it) if it.kind == "grading" else it for it in steps]
    return steps


def grading_states(session: Session, submission_ids: Collection[int]) -> dict[int, str]:
    """The state of the latest grading job of each submission, for a list of them."""
    query = (
        select(SubmissionJob.submission_id, _JOBS)
        .join(_JOBS, _JOBS.c.id == SubmissionJob.job_id)
        .where(SubmissionJob.kind == "grading", SubmissionJob.submission_id.in_(submission_ids))
        .order_by(_JOBS.c.id)
    )
    return {row["submission_id"]: _state(row) for row in session.execute(query).mappings()}


def _step(session: Session, row: Mapping[Any, Any], submission_id: int) -> Step:
    state = _state(row)
    # The other jobs are nothing that anybody waits for.
    place = place_of(session, row, submission_id) if (row["kind"], state) == ("grading", "pending") else None
    return Step(
        kind=row["kind"],
        title=TITLES[row["kind"]],
        job_id=row["id"],
        state=state,
        words=place.words if place else _words(row, state),
        done=row["progress_done"] or 0,
        total=row["progress_total"] or 0,
        unit="tests" if row["kind"] == "grading" else "",
        poll_seconds=min(1 + place.number // 20, _SLOWEST_POLL) if place else 1,
    )


def _superseded(step: Step) -> Step:
    # Its job ended without grading or gave its place away, or waits behind everybody's newest attempt.
    if step.state in {"completed", "cancelled"}:
        return replace(step, state="cancelled", words=_SUPERSEDED)
    return step


def _state(row: Mapping[Any, Any]) -> str:
    status: str = row["status"]
    if status != "pending":
        return status
    if row["is_held"]:
        return "held"
    if row["attempts_used"] > 0:
        return "retrying"
    return "scheduled" if row["run_at"] > dt.datetime.now(dt.UTC) else "pending"


def _words(row: Mapping[Any, Any], state: str) -> str:
    return {
        "pending": "waits its turn",
        "scheduled": f"starts at {row['run_at']:%H:%M:%S}",
        "retrying": f"did not work, tried again at {row['run_at']:%H:%M:%S}",
        "held": "paused by staff",
        "running": "runs",
        "completed": "done",
        "failed": "did not work; staff can see why and start it again",
        "cancelled": _stopped(row["error"] or ""),
    }[state]


def _stopped(error: str) -> str:
    is_replaced = error.startswith("replaced by job")
    return "left out, a newer attempt took its place" if is_replaced else "stopped by staff"
