"""What can happen to a job by a person or by rescue, in the past tense.

Each name is written to `background_job_events` exactly once per happening, and shown on the job's page.
"""

from __future__ import annotations

from typing import Final

STARTED: Final = "started"
"""A person had a waiting job run now, first in line."""

HELD: Final = "held"
"""A person put a waiting job on hold."""

RELEASED: Final = "released"
"""A person let a held job go on waiting for its turn."""

CANCEL_REQUESTED: Final = "cancel_requested"
"""A person asked for a running job to be ended; its processes are being ended."""

CANCELLED: Final = "cancelled"
"""A person cancelled a job that was waiting; or the runner did, for the end of a job that it waited for."""

RETRIED: Final = "retried"
"""A person had a finished job run again with a new budget of attempts."""

RESCUED: Final = "rescued"
"""The launcher of a running job was found dead, and the job was given back or failed."""

PAUSED: Final = "paused"
"""A person paused a class, everything (`*`) or a schedule; the event has a subject, and no job."""

SCHEDULE_RUN: Final = "schedule_run"
"""A person had the job of a schedule enqueued now, beside its times."""

RESUMED: Final = "resumed"
"""A person let a paused class, everything, or a schedule go on."""

NAMES: Final = (
    STARTED,
    HELD,
    RELEASED,
    CANCEL_REQUESTED,
    CANCELLED,
    RETRIED,
    RESCUED,
    PAUSED,
    RESUMED,
    SCHEDULE_RUN,
)
