"""How a student stands with an assignment: what counts, and the one word for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from app.academic.gradebook.models import GradeOverride

# In words, for the page and the CSV; the keys are what a filter names.
MARKS: Final = {
    "graded": "graded",
    "changed": "changed by staff",
    "waiting": "waiting for its grade",
    "marking": "waiting for a person",
    "failed": "grading failed",
    "not_gradable": "not gradable",
    "missing": "missing",
    "open": "not handed in yet",
}
# What the newest attempt waits for, by its outcome; the autograder's errors are nobody's zero.
_UNFINISHED: Final[dict[str | None, str]] = {None: "waiting", "waiting": "marking", "failed": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt as the gradebook needs it, without its report."""

    id: int
    assignment_id: int
    student_id: int
    number: int
    receipt: str
    is_late: bool
    is_chosen: bool
    created_at: dt.datetime
    # None while there is no grade; "failed" when its grading job ended without one.
    outcome: str | None
    score: float | None
    graded_at: dt.datetime | None

    @property
    def is_scored(self) -> bool:
        """Whether grading gave a score: what could not be graded has none."""
        return self.score is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A student and an assignment."""

    mark: str
    score: float | None = None
    attempts: int = 0
    is_late: bool = False
    # The attempt that counts, or the newest while none has a score.
    receipt: str | None = None
    # What staff gave as their reason.
    reason: str | None = None

    @property
    def words(self) -> str:
        """The mark in words."""
        return f"{MARKS[self.mark]}, late" if self.is_late else MARKS[self.mark]


def standing(
    attempts: Sequence[Attempt],
    counting: Attempt | None,
    override: GradeOverride | None,
    *,
    is_over: bool,
) -> Standing:
    """Give the standing; `counting` is the attempt that counts, `is_over` that the deadline is past."""
    shown = counting or (attempts[-1] if attempts else None)
    score = counting.score if counting else None
    return Standing(
        mark=_mark(attempts, counting, override, is_over=is_over),
        score=override.score if override else score,
        attempts=len(attempts),
        is_late=shown is not None and shown.is_late,
        receipt=shown.receipt if shown else None,
        reason=override.reason if override else None,
    )


def counting(attempts: Sequence[Attempt], rule: str) -> Attempt | None:
    """The attempt that counts by the assignment's rule: last, best or chosen; None without a score.

    Of equally good ones it is the earliest. Who has chosen nothing that has a score is judged by the last.
    """
    scored = [attempt for attempt in attempts if attempt.is_scored]
    if not scored:
        return None
    if rule == "best":
        return max(scored, key=lambda attempt: attempt.score or 0.0)
    chosen = [attempt for attempt in scored if attempt.is_chosen] if rule == "chosen" else []
    return (chosen or scored)[-1]


def _mark(
    attempts: Sequence[Attempt], counting: Attempt | None, override: GradeOverride | None, *, is_over: bool
) -> str:
    if override is not None:
        return "changed"
    if not attempts:
        return "missing" if is_over else "open"
    if attempts[-1].outcome in _UNFINISHED:
        return _UNFINISHED[attempts[-1].outcome]
    return "graded" if counting is not None else "not_gradable"
