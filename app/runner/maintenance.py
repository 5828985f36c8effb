"""What a launcher does beside running jobs: rescue what dead launchers left, delete what is old."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app.runner import processes, store
from app.runner.engines.local import sweep
from app.runner.errors import ValidationError
from app.runner.joblog import log_finishes, warn
from app.runner.logs import attempt_log_path
from app.runner.models import FINAL_STATUSES, Job
from app.runner.store import Finish, classes
from app.runner.store.launchers import known, unrecorded

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from app.runner.binding import Binding
    from app.runner.models import LauncherRow

_TRIES: Final = 3
# So many jobs are deleted in one transaction.
PRUNE_STEP: Final = 200
# A launcher on another machine that has not been heard of for so long is dead: ten heartbeats.
SILENT_SECONDS: Final = 20.0
# More than lies between two looks of a launcher that is well.
MOST_BETWEEN_LOOKS_SECONDS: Final = 5.0


def is_dead(row: LauncherRow, now: dt.datetime) -> bool:
    """Whether a launcher is proved dead at one look: here by its process, elsewhere by its silence."""
    return _is_gone(row) if _is_here(row) else now - row.heartbeat_at > dt.timedelta(seconds=SILENT_SECONDS)


def _is_here(row: LauncherRow) -> bool:
    return row.host == processes.host() and row.boot_id == processes.boot_id()


def _is_gone(row: LauncherRow) -> bool:
    return not processes.is_alive(row.pid, row.process_started)


class Silence:
    """For how long nothing was heard of launchers elsewhere, by our own monotonic clock.

    Their clock may differ from ours, and either be set: only that a heartbeat changes counts. Time
    in which we did not look, since we or the database stood still, proves nothing and is left out.
    """

    def __init__(self) -> None:
        self._heard: dict[str, tuple[dt.datetime, float]] = {}
        self._looked_at = time.monotonic()

    def dead(self, rows: Sequence[LauncherRow]) -> list[LauncherRow]:
        """Give those that are proved dead."""
        now = time.monotonic()
        passed, self._looked_at = min(now - self._looked_at, MOST_BETWEEN_LOOKS_SECONDS), now
        self._heard = {row.id: (row.heartbeat_at, self._silent(row, passed)) for row in rows}
        return [row for row in rows if self._is_dead(row)]

    def _silent(self, row: LauncherRow, passed: float) -> float:
        heartbeat_at, seconds = self._heard.get(row.id, (None, 0.0))
        return seconds + passed if heartbeat_at == row.heartbeat_at else 0.0

    def _is_dead(self, row: LauncherRow) -> bool:
        return _is_gone(row) if _is_here(row) else self._heard[row.id][1] > SILENT_SECONDS


def settle_in(bound: Binding) -> None:
    """Make the rows that the settings speak of; two launchers that do so at once may be told to try again."""
    for _ in range(_TRIES):
        with contextlib.suppress(DBAPIError), bound.write(wakes=False) as session:
            classes.know(session, bound.settings.limited)
            store.sync_schedules(session, bound.settings.schedules, dt.datetime.now(dt.UTC))
            return


def fire_schedules(bound: Binding) -> None:
    """Enqueue what the schedules owe; each in a transaction of its own: one cannot keep the others."""
    now, schedules = dt.datetime.now(dt.UTC), bound.settings.schedules
    if not schedules:
        return
    with bound.read() as session:
        due = store.due_schedules(session, schedules, now)
    for name in due:
        try:
            with bound.write() as session:
                store.fire(session, schedules[name], bound.settings, bound.registry, now)
        except ValidationError as error:
            with bound.write(wakes=False) as session:
                store.pass_over(session, schedules[name], now)
            warn(bound.settings, "A schedule cannot be enqueued", {"schedule": name, "error": str(error)})


def log_rescued(bound: Binding, ends: Sequence[Finish]) -> None:
    """Write the lines of jobs that were taken from a launcher; their rows tell what they are."""
    if not ends:
        return
    shown = func.coalesce(Job.shown_parameters, Job.parameters).label("shown_parameters")
    wanted = select(Job.id, Job.class_name, Job.method, shown).where(Job.id.in_([end.job_id for end in ends]))
    with bound.read() as session:
        rows = {row.id: row for row in session.execute(wanted)}
    log_finishes(bound.settings, [(end, rows.get(end.job_id)) for end in ends])


def rescue_all(bound: Binding, own_id: str | None = None, silence: Silence | None = None) -> list[Finish]:
    """Take the jobs of every dead launcher, after its processes here have been ended.

    A launcher that is not on record counts as dead: what it is said to run, nobody else would rescue.
    """
    own = [own_id] if own_id else []
    with bound.read() as session:
        rows, unknown = known(session, own), unrecorded(session, own)
    now = dt.datetime.now(dt.UTC)
    dead = [row for row in rows if is_dead(row, now)] if silence is None else silence.dead(rows)
    gone = [*(row.id for row in dead), *unknown]
    # Together: what cannot be ended at once is waited for once, not once for each.
    sweep(*gone)
    ends: list[Finish] = []
    for launcher_id in gone:
        with bound.write() as session:
            ends += store.rescue(session, launcher_id, bound.settings)
    return ends


def give_back_unknown(bound: Binding, launcher_id: str, running: Container[int]) -> list[Finish]:
    """Give back what a launcher has claimed without knowing: the commit went through, its answer was lost."""
    claimed = select(Job.id, Job.attempt, Job.priority)
    claimed = claimed.where(Job.status == "running", Job.launcher_id == launcher_id)
    with bound.read() as session:
        unknown = [row for row in session.execute(claimed) if row.id not in running]
    if not unknown:
        return []
    with bound.write() as session:
        ends = [store.finish(session, _not_begun(*row), bound.settings) for row in unknown]
    return [end for end in ends if end is not None]


def _not_begun(job_id: int, attempt: int, priority: int) -> Finish:
    now = dt.datetime.now(dt.UTC)
    return Finish(
        job_id=job_id,
        attempt=attempt,
        priority=priority,
        status="pending",
        outcome="interrupted",
        finished_at=now,
        run_at=now,
        gives_back=1,
        error="the database did not confirm its claim",
    )


def prune_old(bound: Binding) -> int:
    """Delete finished jobs older than the retention, in steps that let other writers in between."""
    total = 0
    while deleted := prune_some(bound):
        total += deleted
    return total


def prune_some(bound: Binding) -> int:
    """Delete one step of what is too old: a launcher does all else that it must between two steps."""
    now = dt.datetime.now(dt.UTC)
    days = {status: bound.settings.retention_of(status) for status in FINAL_STATUSES}
    return sum(_prune(bound, status, now - dt.timedelta(days=kept)) for status, kept in days.items())


def _prune(bound: Binding, status: str, before: dt.datetime) -> int:
    with bound.read() as session:
        old = store.old_jobs(session, before=before, statuses=(status,), limit=PRUNE_STEP)
    if not old:
        return 0
    with bound.write(wakes=False) as session:
        deleted = store.prune(session, before=before, only=old)
    _delete_logs(bound.settings.log_dir, set(deleted))
    return len(deleted)


def _delete_logs(log_dir: Path, job_ids: set[int]) -> None:
    """Delete what the attempts of jobs have printed; a log that cannot be deleted holds nothing up."""
    for folder in {attempt_log_path(log_dir, job_id, 1).parent for job_id in job_ids}:
        for path in folder.glob("*.log"):
            number = path.name.partition(".")[0]
            if number.isdecimal() and int(number) in job_ids:
                with contextlib.suppress(OSError):
                    path.unlink()
