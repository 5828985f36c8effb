"""The similarity check of one submission, with what its assignment says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.models import Submission
from app.academic.similarity import (
    compare_class,
    fingerprint,
    keep,
    keep_all,
    look_up,
    rebuild,
    store_prints,
)
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.academic.models import Assignment
    from app.academic.similarity import SimilarityResult
    from app.academic.similarity.prints import Kind

# Pairs below are what any two people's work has in common.
SHOWN_FROM: Final = 10


def compare_with_others(
    submission: Submission, *, on_progress: Callable[[float, float, str], None]
) -> SimilarityResult:
    """Fingerprint the work and compare it with the other students' for the same assignment.

    What takes time is done between two short transactions that write.
    """
    submission_id, flag_at = submission.id, submission.assignment.flag_at
    store_submission(submission)
    on_progress(1, 2, "comparing")
    findings = look_up(db.session(), submission_id)
    with writing() as session:
        result = keep(session, findings, flag_at=flag_at)
    on_progress(2, 2, f"highest similarity {result.score}")
    return result


def store_submission(submission: Submission) -> None:
    """Fingerprint the work, and put it among what others are compared with."""
    assignment = submission.assignment
    submission_id, assignment_id, author_id = submission.id, assignment.id, submission.student_id
    prints = fingerprint(contents_of(submission), kind=kind_of(assignment), base=given_code(assignment))
    with writing() as session:
        store_prints(
            session, prints, submission_id=submission_id, assignment_id=assignment_id, author_id=author_id
        )


def compare_everybody(assignment: Assignment, *, on_progress: Callable[[float, float, str], None]) -> int:
    """Compare a whole class anew, all with the counts of now; returns how many submissions.

    What was taken in before fingerprints were made as they are now is fingerprinted first.
    """
    assignment_id = assignment.id
    query = select(Submission.id).where(Submission.assignment_id == assignment_id).order_by(Submission.id)
    ids = db.session.scalars(query).all()
    for number, submission_id in enumerate(ids):
        store_submission(db.session.get_one(Submission, submission_id))
        on_progress(number, 2 * len(ids), "reading")
    with writing() as session:
        rebuild(session, assignment_id)
    done = 0
    for findings in compare_class(db.session(), assignment_id):
        with writing() as session:
            keep_all(session, findings)
        done += len(findings)
        on_progress(len(ids) + done, 2 * len(ids), "comparing")
    return done


def kind_of(assignment: Assignment) -> Kind:
    """What the work is, in the words of the similarity check."""
    return "prose" if assignment.similarity_kind == "text" else "code"


def contents_of(submission: Submission) -> dict[str, bytes]:
    """The files of a submission by name, as the similarity check and its evidence read them."""
    return {file.name: file.content for file in submission.files}


def given_code(assignment: Assignment) -> list[bytes]:
    """What the instructor gave to everybody: it says nothing about who copied from whom."""
    return [file.content for file in assignment.files if file.is_given]
