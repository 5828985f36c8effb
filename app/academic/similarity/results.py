"""What a check came to, as values for pages and jobs."""

from __future__ import annotations

from dataclasses import dataclass

TOO_SHORT = "too short to judge"
TOO_FEW = "too few submissions to compare with"
SMALL_CLASS = "few submissions: only near copies can be told"
SHORT_STRUCTURE = "too short to judge by structure: only its wording is compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Another author's submission, and how alike the two are: similarity, not proof."""

    submission_id: int
    author_id: int
    score: int
    overlap: float
    """Share of this submission's fingerprints found in the other, 0 to 1, common ones included."""
    overlap_other: float
    """Share of the other's found in this one."""
    structure: int | None
    """The part of the score that survives renaming; None if too short to judge by it."""
    wording: int | None
    """The part of the score made of literal text."""
    is_same_group: bool
    """The whole programs are equal but for names, layout and comments."""
    verdict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityResult:
    """The highest similarity of a submission with any other author's, and where it comes from."""

    submission_id: int
    score: int
    flagged: bool
    matches: tuple[Match, ...]
    class_size: int
    note: str
