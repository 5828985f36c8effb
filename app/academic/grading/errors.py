"""What can go wrong around grading.

AssignmentError            the assignment folder is at fault; the instructor reads it
AutograderError            the machinery is at fault; the job is retried, a grade is never given
└── SandboxUnavailable     this machine cannot confine code; a retry would not help
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class AssignmentError(Exception):
    """The assignment cannot be used as it is; every problem is listed, one per line."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class AutograderError(Exception):
    """Grading failed for a reason that is not the student's; it may be tried again."""


class SandboxUnavailable(AutograderError):
    """Grading of code is disabled: no sandbox on this machine."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        told = "; ".join(f"{tier}: {reason}" for tier, reason in self.reasons.items())
        super().__init__(f"grading of code is disabled: no sandbox on this machine ({told})")
