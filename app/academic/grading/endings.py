"""How a student's program ended: the verdict, from its wait status and its time alone."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.academic.grading.limits import Limits

_CPU_TOLERANCE = 0.1  # seconds; the kernel counts in ticks


class BoxEnded(BaseException):
    """The student's program ended, or was ended, before it gave what was asked."""

    def __init__(self, verdict: str, message: str) -> None:
        self.verdict, self.message = verdict, message
        super().__init__(message)


def explain(status: int, cpu_seconds: float, limits: Limits) -> BoxEnded:
    """Return what a wait status means for a program that was not ended by us."""
    code = os.waitstatus_to_exitcode(status)
    number = -code if code < 0 else code - 128
    if cpu_seconds >= limits.cpu - _CPU_TOLERANCE or number == signal.SIGXCPU:
        return BoxEnded("time_limit", f"The program used more than {limits.cpu:g} seconds of processor time.")
    if number == signal.SIGSYS:
        return BoxEnded("denied", "The program made a system call that is not allowed and was ended.")
    if number > 0:
        with contextlib.suppress(ValueError):
            return BoxEnded("runtime_error", f"The program crashed ({signal.Signals(number).name}).")
    return BoxEnded(
        "runtime_error", f"The program ended by itself (exit status {code}) before the test was done."
    )
