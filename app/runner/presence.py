"""A launcher as others must be able to tell it alive or dead: its machine, its process, its heartbeat."""

from __future__ import annotations

import datetime as dt
import os

from app.runner import processes
from app.runner.models import LauncherRow


def presence(launcher_id: str, slots: int, *, is_draining: bool = False) -> LauncherRow:
    """Describe this process as a launcher."""
    now = dt.datetime.now(dt.UTC)
    return LauncherRow(
        id=launcher_id,
        host=processes.host(),
        boot_id=processes.boot_id(),
        pid=os.getpid(),
        process_started=processes.start_time(os.getpid()) or 0.0,
        slots=slots,
        is_draining=is_draining,
        started_at=now,
        heartbeat_at=now,
    )
