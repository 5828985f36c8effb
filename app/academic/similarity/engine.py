"""Check a submission against the others of its assignment.

Call `fingerprint` outside of a transaction and `store_and_compare` inside one:

    prints = fingerprint(files, kind="code", base=[stub])
    with writing() as session:
        result = store_and_compare(session, prints, submission_id=7, assignment_id=1, author_id=3)
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.similarity import store
from app.academic.similarity.compare import compare
from app.academic.similarity.models import SimilarityDocument, SimilarityPair
from app.academic.similarity.prints import STRUCTURE, WORDING, fingerprint
from app.academic.similarity.queries import matches_of
from app.academic.similarity.results import SMALL_CLASS, TOO_FEW, TOO_SHORT, SimilarityResult
from app.academic.similarity.score import SHORTEST_PROSE, SHORTEST_WORDING, Rarity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.similarity.compare import Comparison
    from app.academic.similarity.prints import Kind, Prints

LOWEST_KEPT: Final = 1
NOTABLE: Final = 20  # what was found at least this much alike is compared again, found or not
RECOMPARED: Final = 40
REFRESHED_AT_ONCE: Final = 1  # as many are due as arrive while a class doubles


def check_submission(
    session: Session,
    *,
    submission_id: int,
    assignment_id: int,
    author_id: int,
    files: Mapping[str, bytes],
    kind: Kind = "code",
    base: Sequence[bytes] = (),
    flag_at: float = 50,
) -> SimilarityResult:
    """Fingerprint, store and compare in one go; idempotent."""
    prints = fingerprint(files, kind=kind, base=base)
    return store_and_compare(
        session,
        prints,
        submission_id=submission_id,
        assignment_id=assignment_id,
        author_id=author_id,
        flag_at=flag_at,
    )


def store_and_compare(
    session: Session,
    prints: Prints,
    *,
    submission_id: int,
    assignment_id: int,
    author_id: int,
    flag_at: float = 50,
) -> SimilarityResult:
    """Store fingerprints, compare with the rarest shared ones of others, keep the pairs."""
    document = store.store(
        session, prints, submission_id=submission_id, assignment_id=assignment_id, author_id=author_id
    )
    author_count = store.lock_class(session, assignment_id).author_count
    document.note = _note(prints, author_count)
    _compare_and_keep(session, document, author_count)
    refresh(session, assignment_id, limit=REFRESHED_AT_ONCE)
    matches = matches_of(session, submission_id)
    score = max((match.score for match in matches), default=0)
    return SimilarityResult(
        submission_id=submission_id,
        score=score,
        flagged=score >= flag_at,
        matches=matches,
        class_size=author_count,
        note=document.note,
    )


def refresh(session: Session, assignment_id: int, limit: int | None = None) -> int:
    """Compare again what was compared when the class was less than half as large.

    Rarity changes as a class grows. Every check does one; a sweep may do all. Returns how many.
    """
    author_count = store.lock_class(session, assignment_id).author_count
    stale = (
        select(SimilarityDocument)
        .where(
            SimilarityDocument.assignment_id == assignment_id,
            SimilarityDocument.class_size <= author_count // 2,
        )
        .order_by(SimilarityDocument.class_size, SimilarityDocument.submission_id)
        .limit(limit)
    )
    found = list(session.scalars(stale))
    for document in found:
        _compare_and_keep(session, document, author_count)
    return len(found)


def _compare_and_keep(session: Session, document: SimilarityDocument, author_count: int) -> None:
    known = _known_pairs(session, document.submission_id)
    notable = sorted(
        (other for other in known if known[other].score >= NOTABLE), key=lambda o: -known[o].score
    )
    found = compare(session, store.load(session, document), author_count, notable[:RECOMPARED])
    for comparison in found:
        pair = known.pop(comparison.document.submission_id, None)
        if pair is not None or comparison.score.value >= LOWEST_KEPT:
            _keep(session, document, comparison, pair)
    for pair in known.values():  # alike only while the class was small
        if pair.score < NOTABLE and pair.verdict is None:
            session.delete(pair)
    document.class_size = author_count
    document.checked_at = dt.datetime.now(dt.UTC)
    session.flush()


def _known_pairs(session: Session, submission_id: int) -> dict[int, SimilarityPair]:
    query = select(SimilarityPair).where(
        (SimilarityPair.submission_a_id == submission_id) | (SimilarityPair.submission_b_id == submission_id)
    )
    return {
        pair.submission_b_id if pair.submission_a_id == submission_id else pair.submission_a_id: pair
        for pair in session.scalars(query)
    }


def _keep(
    session: Session, document: SimilarityDocument, found: Comparison, pair: SimilarityPair | None
) -> None:
    """Write one row that serves both sides; a person's verdict stays."""
    ids = (document.submission_id, found.document.submission_id)
    if pair is None:
        pair = SimilarityPair(
            assignment_id=document.assignment_id, submission_a_id=min(ids), submission_b_id=max(ids)
        )
        session.add(pair)
    is_a = ids[0] < ids[1]
    pair.score = found.score.value
    pair.overlap_a = found.overlap if is_a else found.overlap_other
    pair.overlap_b = found.overlap_other if is_a else found.overlap
    pair.evidence = json.dumps(
        {
            "structure": found.score.structure,
            "wording": found.score.wording,
            "is_same_group": found.score.is_same_group,
        }
    )
    pair.compared_at = dt.datetime.now(dt.UTC)


def _note(prints: Prints, author_count: int) -> str:
    shortest = SHORTEST_WORDING if prints.kind == "code" else SHORTEST_PROSE
    wording = prints.features[WORDING].total if WORDING in prints.features else 0
    structure = prints.features[STRUCTURE].total if STRUCTURE in prints.features else 0
    if max(wording, structure) < shortest:
        return TOO_SHORT
    if author_count == 1:
        return TOO_FEW
    return SMALL_CLASS if Rarity(author_count).is_small else ""
