"""The similarity check of one submission, with what its assignment says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.academic.similarity import fingerprint, store_and_compare
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.academic.models import Assignment, Submission
    from app.academic.similarity import SimilarityResult
    from app.academic.similarity.prints import Kind

# Pairs below are what any two people's work has in common.
SHOWN_FROM: Final = 10


def compare_with_others(
    submission: Submission, *, on_progress: Callable[[float, float, str], None]
) -> SimilarityResult:
    """Fingerprint the work and compare it with the other students' for the same assignment."""
    assignment = submission.assignment
    submission_id, assignment_id, author_id = submission.id, assignment.id, submission.student_id
    flag_at = assignment.flag_at
    prints = fingerprint(contents_of(submission), kind=kind_of(assignment), base=given_code(assignment))
    db.session.commit()
    on_progress(1, 2, "comparing")
    with writing() as session:
        result = store_and_compare(
            session,
            prints,
            submission_id=submission_id,
            assignment_id=assignment_id,
            author_id=author_id,
            flag_at=flag_at,
        )
    on_progress(2, 2, f"highest similarity {result.score}")
    return result


def kind_of(assignment: Assignment) -> Kind:
    """What the work is, in the words of the similarity check."""
    return "prose" if assignment.similarity_kind == "text" else "code"


def contents_of(submission: Submission) -> dict[str, bytes]:
    """The files of a submission by name, as the similarity check and its evidence read them."""
    return {file.name: file.content for file in submission.files}


def given_code(assignment: Assignment) -> list[bytes]:
    """What the instructor gave to everybody: it says nothing about who copied from whom."""
    return [file.content for file in assignment.files if file.is_given]
