"""Check a submission against the others of its assignment.

Three steps, so that the slow ones hold no lock:

    prints = fingerprint(files, kind="code", base=[stub])        # outside of any transaction
    with writing() as session:
        store_prints(session, prints, submission_id=7, assignment_id=1, author_id=3)
    findings = look_up(session, 7)                                # only reads
    with writing() as session:
        result = keep(session, findings, flag_at=50)

Two that arrive together are both stored before the later of them is compared, so neither is missed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.similarity import postings, store
from app.academic.similarity.compare import compare
from app.academic.similarity.models import SimilarityDocument, SimilarityPair
from app.academic.similarity.prints import STRUCTURE, WORDING, fingerprint
from app.academic.similarity.queries import matches_of
from app.academic.similarity.results import (
    SHORT_STRUCTURE,
    SMALL_CLASS,
    TOO_FEW,
    TOO_SHORT,
    SimilarityResult,
)
from app.academic.similarity.score import SHORTEST_PROSE, SHORTEST_STRUCTURE, SHORTEST_WORDING, Rarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.similarity.compare import Comparison, Finding
    from app.academic.similarity.prints import Kind, Prints

LOWEST_KEPT: Final = 1
NOTABLE: Final = 20  # what was found at least this much alike is compared again, found or not
RECOMPARED: Final = 40
REFRESHED_AT_ONCE: Final = 1  # as many are due as arrive while a class doubles
YOUNG_CLASS: Final = 100  # of a larger one rarity changes slowly: the sweep after the deadline is enough


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
    """Store, compare and keep in the caller's transaction; a job does the three apart."""
    store.store_prints(
        session, prints, submission_id=submission_id, assignment_id=assignment_id, author_id=author_id
    )
    return keep(session, look_up(session, submission_id), flag_at=flag_at)


def look_up(session: Session, submission_id: int) -> list[Finding]:
    """Compare a stored submission, and one more that was compared when the class was much smaller."""
    first = _again(session, submission_id)
    if first is None:
        return []
    due = REFRESHED_AT_ONCE if first.class_size <= YOUNG_CLASS else 0
    stale = _stale(session, first.assignment_id, due, but_not=submission_id) if due else []
    return [first, *(found for it in stale if (found := _again(session, it)))]


def keep(session: Session, findings: Sequence[Finding], *, flag_at: float = 50) -> SimilarityResult:
    """Write what was found; the result is that of the first."""
    if not findings:
        raise LookupError("the submission was taken out of the comparison meanwhile")
    first = findings[0]
    keep_all(session, findings)
    matches = matches_of(session, first.submission_id)
    score = max((match.score for match in matches), default=0)
    return SimilarityResult(
        submission_id=first.submission_id,
        score=score,
        flagged=score >= flag_at,
        matches=matches,
        class_size=first.class_size,
        note=session.get_one(SimilarityDocument, first.submission_id).note,
    )


def keep_all(session: Session, findings: Sequence[Finding]) -> None:
    """Write what several comparisons came to, while no other writer of the class does."""
    if not findings:
        return
    store.lock_class(session, findings[0].assignment_id)
    ids = [finding.submission_id for finding in findings]
    known = known_pairs(session, ids)
    query = select(SimilarityDocument)
    documents = {
        document.submission_id: document
        for chunk in postings.chunks(ids, 800)
        for document in session.scalars(query.where(SimilarityDocument.submission_id.in_(chunk)))
    }
    written: set[SimilarityPair] = set()
    for finding in findings:
        document = documents.get(finding.submission_id)
        if document is not None:  # else it was forgotten meanwhile
            _write(session, finding, document, known, written)
    session.flush()


def refresh(session: Session, assignment_id: int, limit: int | None = None) -> int:
    """Compare again what was compared when the class was less than half as large.

    Rarity changes as a class grows. Every check does one; `sweep` does a whole class. Returns how many.
    """
    findings = [_again(session, it) for it in _stale(session, assignment_id, limit)]
    keep_all(session, [finding for finding in findings if finding is not None])
    return len(findings)


def _again(session: Session, submission_id: int) -> Finding | None:
    """Compare with what is promising and with what was notable before."""
    scores = {
        other: pair.score
        for other, pair in known_pairs(session, [submission_id]).get(submission_id, {}).items()
        if pair.score >= NOTABLE
    }
    return compare(session, submission_id, sorted(scores, key=lambda other: -scores[other])[:RECOMPARED])


def _stale(session: Session, assignment_id: int, limit: int | None, but_not: int = 0) -> list[int]:
    table = SimilarityDocument
    half = store.author_count(session, assignment_id) // 2
    query = (
        select(table.submission_id)
        .where(table.assignment_id == assignment_id, table.class_size <= half, table.submission_id != but_not)
        .order_by(table.class_size, table.submission_id)
        .limit(limit)
    )
    return list(session.scalars(query))


def _write(
    session: Session,
    finding: Finding,
    document: SimilarityDocument,
    known: dict[int, dict[int, SimilarityPair]],
    written: set[SimilarityPair],
) -> None:
    now = dt.datetime.now(dt.UTC)
    mine = known.setdefault(finding.submission_id, {})
    compared = {comparison.submission_id for comparison in finding.comparisons}
    for comparison in finding.comparisons:
        pair = mine.get(comparison.submission_id)
        if pair is not None or comparison.score.value >= LOWEST_KEPT:
            kept = _keep_pair(session, finding, comparison, pair, now)
            mine[comparison.submission_id] = kept
            written.add(kept)
            known.setdefault(comparison.submission_id, {})[finding.submission_id] = kept
    for other, pair in list(mine.items()):  # alike only while the class was small
        is_news = other in compared or pair in written
        if not is_news and pair.score < NOTABLE and pair.verdict is None:
            del mine[other]
            known.get(other, {}).pop(finding.submission_id, None)
            session.delete(pair)
    document.profile = json.dumps(finding.profile, separators=(",", ":"))
    document.class_size = finding.class_size
    document.note = _note(document, finding.class_size)
    document.checked_at = now


def known_pairs(session: Session, submission_ids: Iterable[int]) -> dict[int, dict[int, SimilarityPair]]:
    """Pairs of each of some submissions, by the other side; one query per side, each with its index."""
    table, wanted = SimilarityPair, set(submission_ids)
    found: dict[int, dict[int, SimilarityPair]] = {}
    for chunk in postings.chunks(sorted(wanted), 800):
        for side in (table.submission_a_id, table.submission_b_id):
            for pair in session.scalars(select(table).where(side.in_(chunk))):
                a, b = pair.submission_a_id, pair.submission_b_id
                for one, other in ((a, b), (b, a)):
                    if one in wanted:
                        found.setdefault(one, {})[other] = pair
    return found


def _keep_pair(
    session: Session, finding: Finding, found: Comparison, pair: SimilarityPair | None, now: dt.datetime
) -> SimilarityPair:
    """Write one row that serves both sides; a person's verdict stays."""
    ids = (finding.submission_id, found.submission_id)
    if pair is None:
        pair = SimilarityPair(
            assignment_id=finding.assignment_id, submission_a_id=min(ids), submission_b_id=max(ids)
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
    pair.compared_at = now
    return pair


def _note(document: SimilarityDocument, author_count: int) -> str:
    totals = json.loads(document.totals)
    wording = totals.get(str(WORDING), (0, 0))[1]
    structure = totals.get(str(STRUCTURE), (0, 0))[1]
    shortest = SHORTEST_WORDING if document.kind == "code" else SHORTEST_PROSE
    if max(wording, structure) < shortest:
        return TOO_SHORT
    if author_count == 1:
        return TOO_FEW
    if Rarity(author_count).is_small:
        return SMALL_CLASS
    return SHORT_STRUCTURE if document.kind == "code" and structure < SHORTEST_STRUCTURE else ""
