"""The word that people see for a job that waits; what is stored says only `pending`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


def waiting_state(
    *, now: dt.datetime, run_at: dt.datetime, is_held: bool, attempts_used: int, waits_for: int
) -> str:
    """Name what keeps a pending job, the strongest first; `pending` if nothing does but its turn."""
    if is_held:
        return "held"
    if waits_for:
        return "blocked"
    if attempts_used:
        return "retrying"
    return "scheduled" if run_at > now else "pending"
