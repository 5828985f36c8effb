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
from app.runner.store.enqueueing import can_be_alone, enqueue, enqueue_all, enqueue_alone, enqueue_many
from app.runner.store.jobs import cancel, hold, release, retry, start_now
from app.runner.store.launchers import beat, dismiss, old_jobs, prune, register, rescue
from app.runner.store.schedules import (
    due_schedules,
    fire,
    pass_over,
    pause_schedule,
    resume_schedule,
    run_schedule,
    sync_schedules,
)

__all__ = [
    "Claimed",
    "Finish",
    "beat",
    "can_be_alone",
    "cancel",
    "claim",
    "dismiss",
    "due_schedules",
    "enqueue",
    "enqueue_all",
    "enqueue_alone",
    "enqueue_many",
    "finish",
    "finish_all",
    "fire",
    "hold",
    "is_anything_due",
    "old_jobs",
    "pass_over",
    "pause",
    "pause_schedule",
    "prune",
    "register",
    "release",
    "rescue",
    "resume",
    "resume_schedule",
    "retry",
    "run_schedule",
    "save_process",
    "save_progress",
    "start_now",
    "sync_schedules",
]
