"""What a launcher does beside running jobs: rescue what dead launchers left, delete what is old."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Final

from app.runner import processes, store
from app.runner.engines.local import sweep
from app.runner.logs import attempt_log_path
from app.runner.store.launchers import abandoned, known

if TYPE_CHECKING:
    from pathlib import Path

    from app.runner.binding import Binding
    from app.runner.models import LauncherRow
    from app.runner.store import Finish

# A launcher on another machine that has not been heard of for so long is dead: ten heartbeats.
SILENT_SECONDS: Final = 20.0


def is_dead(row: LauncherRow, now: dt.datetime) -> bool:
    """Whether a launcher is proved dead: here by its process, elsewhere by its silence."""
    if row.host == processes.host() and row.boot_id == processes.boot_id():
        return not processes.is_alive(row.pid, row.process_started)
    return now - row.heartbeat_at > dt.timedelta(seconds=SILENT_SECONDS)


def rescue_all(bound: Binding, own_id: str | None = None) -> list[Finish]:
    """Take the jobs of every launcher that is dead or forgotten, after its processes here have been ended."""
    now = dt.datetime.now(dt.UTC)
    own = [own_id] if own_id else []
    with bound.read() as session:
        dead = [row.id for row in known(session, own) if is_dead(row, now)]
        dead += abandoned(session, own)
    ends: list[Finish] = []
    for launcher_id in dead:
        sweep(launcher_id)
        with bound.write() as session:
            ends += store.rescue(session, launcher_id, bound.settings)
    return ends


def prune_old(bound: Binding) -> int:
    """Delete finished jobs older than the retention, in steps that let other writers in between."""
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=bound.settings.retention_days)
    total = 0
    while True:
        with bound.write() as session:
            deleted = store.prune(session, before=before)
        if not deleted:
            return total
        total += len(deleted)
        _delete_logs(bound.settings.log_dir, set(deleted))


def _delete_logs(log_dir: Path, job_ids: set[int]) -> None:
    """Delete what the attempts of jobs have printed; a log that cannot be deleted holds nothing up."""
    for folder in {attempt_log_path(log_dir, job_id, 1).parent for job_id in job_ids}:
        for path in folder.glob("*.log"):
            number = path.name.partition(".")[0]
            if number.isdecimal() and int(number) in job_ids:
                with contextlib.suppress(OSError):
                    path.unlink()
