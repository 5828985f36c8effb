"""Questions about one job: everything its page shows, in three queries at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, or_, select

from app.runner import binding
from app.runner.errors import JobNotFound
from app.runner.models import IS_FREE, LANES, Attempt, Dependency, Event, Job, LauncherRow
from app.runner.queries import pauses, words
from app.runner.queries.lists import alive_count, make_row, state_of
from app.runner.queries.views import AttemptView, JobDetail, Moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from app.runner.settings import Approval

# What a person calls each event; the stored names are for programs.
_EVENT_TITLES: Final = {
    "started": "Started early",
    "cancel_requested": "Cancel requested",
    "cancelled": "Cancelled",
    "retried": "Retried",
    "held": "Held",
    "schedule_run": "Run now from its schedule",
    "released": "Released",
    "rescued": "Rescued from a launcher that died",
}

# A job may wait for thousands; its page names so many.
NAMED_ANCESTORS: Final = 20

_OUTCOME_KINDS: Final = {
    "timed_out": "failed",
    "crashed": "failed",
    "interrupted": "pending",
    "snoozed": "scheduled",
}


def get_job(session: Session, job_id: int, now: dt.datetime) -> JobDetail:
    """Give all there is to show of a job; raises `JobNotFound`."""
    found = _job_and_events(session, job_id)
    if not found:
        raise JobNotFound(job_id)
    job, heartbeat_at = found[0][0], found[0][1]
    events = [event for _, _, event in found if event is not None]
    state = state_of(job, heartbeat_at, now)
    attempts = _attempts(session, job_id, now) if job.attempt else []
    is_blocked = job.status == "pending" and job.waits_for > 0
    ancestors, ended = _ancestors(session, job) if is_blocked else ([], [])
    return JobDetail(
        row=make_row(job, state=state, parameters=job.shown_parameters or job.parameters, now=now),
        full_parameters=words.readable_parameters(job.shown_parameters or job.parameters),
        full_error=job.error and words.visible(job.error),
        result=job.result and words.readable_parameters(job.result),
        created_by=job.created_by,
        unique_key=job.unique_key,
        unique_until=job.unique_until,
        timeout_seconds=job.timeout_seconds,
        cancel_requested_at=job.cancel_requested_at,
        cancel_requested_by=job.cancel_requested_by,
        crashes=job.crashes,
        waiting=_why_blocked(job, state, ancestors, ended) or _why_waiting(session, job, state, now),
        waits_for=ancestors,
        attempts=attempts,
        timeline=_timeline(job, attempts, events),
    )


def _job_and_events(session: Session, job_id: int) -> Sequence[Row[Job, dt.datetime | None, Event | None]]:
    statement = (
        select(Job, LauncherRow.heartbeat_at, Event)
        .outerjoin(LauncherRow, LauncherRow.id == Job.launcher_id)
        .outerjoin(Event, Event.job_id == Job.id)
        .where(Job.id == job_id)
        .order_by(Event.id)
        # A session that has read the job before must not answer from memory.
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).all()


def _attempts(session: Session, job_id: int, now: dt.datetime) -> list[AttemptView]:
    statement = select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number)
    found = session.scalars(statement.execution_options(populate_existing=True))
    return [_attempt(attempt, now) for attempt in found]


def _attempt(attempt: Attempt, now: dt.datetime) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        outcome=attempt.outcome,
        launcher_id=attempt.launcher_id,
        host=attempt.host,
        pid=attempt.pid,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        now=now,
        error=attempt.error and words.visible(attempt.error),
        traceback=attempt.traceback and words.visible(attempt.traceback),
        exit_code=attempt.exit_code,
        signal=attempt.signal,
        cpu_seconds=attempt.cpu_seconds,
        peak_memory_bytes=attempt.peak_memory_bytes,
        log_bytes=attempt.log_bytes,
    )


def _ancestors(session: Session, job: Job) -> tuple[list[int], list[int]]:
    """Give the jobs that must end before this one, and those that have; the first few of them."""
    rows = select(Dependency.after_id, Dependency.is_settled).where(Dependency.job_id == job.id)
    rows = rows.order_by(Dependency.is_settled, Dependency.after_id).limit(NAMED_ANCESTORS)
    named: tuple[list[int], list[int]] = ([], [])
    for after_id, is_settled in session.execute(rows):
        named[is_settled].append(after_id)
    return named


def _why_blocked(job: Job, state: str, ancestors: Sequence[int], ended: Sequence[int]) -> str | None:
    return words.explain_blocked(ancestors, job.waits_for, ended) if state == "blocked" else None


def _why_waiting(session: Session, job: Job, state: str, now: dt.datetime) -> str | None:
    if job.status != "pending":
        return None
    if job.is_held or job.run_at > now:
        return words.explain_waiting(state, now=now, run_at=job.run_at, live_launchers=0, ahead=0)
    live, ahead, paused = _queue_before(session, job, now)
    if paused is not None:
        return pauses.explain_pause(session, paused)
    if (limited := pauses.explain_limit(session, job.class_name, _limit(job.class_name), now)) is not None:
        return limited
    return words.explain_waiting(state, now=now, run_at=job.run_at, live_launchers=live, ahead=ahead)


def _limit(class_name: str) -> Approval | None:
    try:
        return binding.current().settings.limited.get(class_name)
    except binding.NotBound:  # read by a program that only looks
        return None


def _queue_before(session: Session, job: Job, now: dt.datetime) -> tuple[int, int, str | None]:
    """Count live launchers, and the due jobs that are claimed before this one; and say what is paused."""
    is_due = IS_FREE & (Job.run_at <= now)
    is_before = or_(Job.rank < job.rank, (Job.rank == job.rank) & (Job.id < job.id))
    before = (
        # The lanes are all there are; named, an index finds the jobs that are due among others.
        select(Job.id).where(is_due, Job.lane.in_(LANES), is_before).limit(words.COUNT_CAP + 1).subquery()
    )
    ahead = select(func.count()).select_from(before).scalar_subquery()
    paused = pauses.paused_name(job.class_name)
    row = session.execute(select(alive_count(now).scalar_subquery(), ahead, paused)).one()
    return row[0], row[1], row[2]


def _timeline(job: Job, attempts: Sequence[AttemptView], events: Sequence[Event]) -> list[Moment]:
    moments = [Moment(at=job.created_at, kind="pending", title="Enqueued", actor=job.created_by)]
    for attempt in attempts:
        moments.extend(_attempt_moments(attempt))
    moments.extend(_event_moment(event) for event in events)
    # Stable: of one moment, what was added last is newest.
    moments.reverse()
    moments.sort(key=lambda moment: moment.at, reverse=True)
    return moments


def _attempt_moments(attempt: AttemptView) -> list[Moment]:
    where = f"{attempt.host}, process {attempt.pid}" if attempt.pid else attempt.host
    title = f"Attempt {attempt.number}"
    moments = [Moment(at=attempt.started_at, kind="running", title=f"{title} started", note=where)]
    if attempt.finished_at:
        kind = _OUTCOME_KINDS.get(attempt.outcome, attempt.outcome)
        ended = f"{title} {outcome_words(attempt.outcome)}"
        moments.append(Moment(at=attempt.finished_at, kind=kind, title=ended, note=attempt.error))
    return moments


def outcome_words(outcome: str) -> str:
    """Write an attempt's outcome for people."""
    return {"timed_out": "timed out", "retrying": "failed, to be retried"}.get(outcome, outcome)


def _event_moment(event: Event) -> Moment:
    return Moment(
        at=event.at,
        kind=event.after if event.after in words.STATES else "pending",
        title=_EVENT_TITLES.get(event.name, event.name.replace("_", " ").capitalize()),
        actor=event.actor,
        note=event.note and words.visible(event.note),
    )
