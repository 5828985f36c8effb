"""Everything that is written about jobs: one verb, one guarded statement, whose row count is checked.

The guards stand in the WHERE; a verb that is not allowed raises and changes nothing. The caller
opens the transaction and commits it.
"""

from app.runner.store.attempts import (
    Claimed,
    Finish,
    claim,
    finish,
    finish_all,
    is_anything_due,
    save_process,
    save_progress,
)
from app.runner.store.classes import pause, resume
from app.runner.store.jobs import cancel, enqueue, hold, release, retry, start_now
from app.runner.store.launchers import beat, dismiss, prune, register, rescue

__all__ = [
    "Claimed",
    "Finish",
    "beat",
    "cancel",
    "claim",
    "dismiss",
    "enqueue",
    "finish",
    "finish_all",
    "hold",
    "is_anything_due",
    "pause",
    "prune",
    "register",
    "release",
    "rescue",
    "resume",
    "retry",
    "save_process",
    "save_progress",
    "start_now",
]
