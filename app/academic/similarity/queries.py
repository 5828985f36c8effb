"""What pages ask: pairs of a submission, pairs of an assignment, their spread; and a verdict."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from app.academic.similarity import postings
from app.academic.similarity.models import VERDICTS, SimilarityDocument, SimilarityPair
from app.academic.similarity.results import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.academic.similarity.evidence import Passage

BINS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPair:
    """A pair with its two authors, for the list an instructor reads from the top."""

    pair: SimilarityPair
    author_a_id: int
    author_b_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a score was made of; a part that could not be judged is None."""

    structure: int | None
    wording: int | None
    is_same_group: bool


def pairs_for_submission(session: Session, submission_id: int) -> Sequence[SimilarityPair]:
    """All pairs a submission is one side of, most alike first."""
    query = (
        select(SimilarityPair)
        .where(_has(submission_id))
        .order_by(SimilarityPair.score.desc(), SimilarityPair.id)
    )
    return session.scalars(query).all()


def matches_of(session: Session, submission_id: int) -> tuple[Match, ...]:
    """The pairs of a submission seen from its side."""
    pairs = pairs_for_submission(session, submission_id)
    others = {_other(pair, submission_id) for pair in pairs}
    authors = dict(
        session.execute(
            select(SimilarityDocument.submission_id, SimilarityDocument.author_id).where(
                SimilarityDocument.submission_id.in_(others)
            )
        ).all()
    )
    return tuple(
        _match(pair, submission_id, authors) for pair in pairs if _other(pair, submission_id) in authors
    )


def highest_score(session: Session, submission_id: int) -> int:
    """How alike a submission is to the most alike of another author; 0 for none."""
    return session.scalar(select(func.max(SimilarityPair.score)).where(_has(submission_id))) or 0


def ranked_pairs(
    session: Session, assignment_id: int, *, minimum: int = 0, limit: int = 200
) -> list[RankedPair]:
    """Pairs of an assignment, most alike first; of two authors' many attempts only the most alike."""
    side_a, side_b = aliased(SimilarityDocument), aliased(SimilarityDocument)
    query = (
        select(SimilarityPair, side_a.author_id, side_b.author_id)
        .join(side_a, side_a.submission_id == SimilarityPair.submission_a_id)
        .join(side_b, side_b.submission_id == SimilarityPair.submission_b_id)
        .where(SimilarityPair.assignment_id == assignment_id, SimilarityPair.score >= minimum)
        .order_by(SimilarityPair.score.desc(), SimilarityPair.id.desc())
    )
    best: dict[frozenset[int], RankedPair] = {}
    for pair, author_a, author_b in session.execute(query):
        people = frozenset((author_a, author_b))
        if people not in best:
            best[people] = RankedPair(pair=pair, author_a_id=author_a, author_b_id=author_b)
        if len(best) >= limit:
            break
    return list(best.values())


def seen_in(session: Session, assignment_id: int, found: Sequence[Passage]) -> list[int | None]:
    """How many authors of the assignment can have each passage at most; None where nothing is kept of it."""
    wanted = {value for passage in found for value in passage.hashes}
    rows = postings.read(session, assignment_id, wanted)
    return [
        min((rows[value][0] for value in passage.hashes if value in rows), default=None) for passage in found
    ]


def evidence_of(pair: SimilarityPair) -> Evidence:
    """The parts a pair's score was made of."""
    found = json.loads(pair.evidence)
    return Evidence(
        structure=found["structure"], wording=found["wording"], is_same_group=found["is_same_group"]
    )


def similarity_histogram(session: Session, assignment_id: int) -> list[int]:
    """How many submissions have their highest score in 0-4, 5-9, ..., 95-100."""
    sides = [
        select(side.label("submission_id"), SimilarityPair.score).where(
            SimilarityPair.assignment_id == assignment_id
        )
        for side in (SimilarityPair.submission_a_id, SimilarityPair.submission_b_id)
    ]
    both = sides[0].union_all(sides[1]).subquery()
    highest = dict(
        session.execute(
            select(both.c.submission_id, func.max(both.c.score)).group_by(both.c.submission_id)
        ).all()
    )
    counts = [0] * BINS
    width = 100 // BINS
    query = select(SimilarityDocument.submission_id).where(SimilarityDocument.assignment_id == assignment_id)
    for submission_id in session.scalars(query):
        counts[min(highest.get(submission_id, 0) // width, BINS - 1)] += 1
    return counts


def decide(
    session: Session, pair_id: int, *, verdict: str | None, decided_by_id: int, note: str = ""
) -> bool:
    """Record a person's verdict on a pair, or take it back with None; False if there is no such pair."""
    if verdict is not None and verdict not in VERDICTS:
        raise ValueError(f"verdict is {verdict!r}; expected one of {', '.join(VERDICTS)} or none")
    pair = session.get(SimilarityPair, pair_id)
    if pair is None:
        return False
    pair.verdict = verdict
    pair.decided_by_id = decided_by_id if verdict else None
    pair.decided_at = dt.datetime.now(dt.UTC) if verdict else None
    pair.note = note
    session.flush()
    return True


def _has(submission_id: int) -> ColumnElement[bool]:
    return or_(
        SimilarityPair.submission_a_id == submission_id, SimilarityPair.submission_b_id == submission_id
    )


def _other(pair: SimilarityPair, submission_id: int) -> int:
    return pair.submission_b_id if pair.submission_a_id == submission_id else pair.submission_a_id


def _match(pair: SimilarityPair, submission_id: int, authors: dict[int, int]) -> Match:
    evidence = json.loads(pair.evidence)
    overlaps = (pair.overlap_a, pair.overlap_b)
    if pair.submission_b_id == submission_id:
        overlaps = (pair.overlap_b, pair.overlap_a)
    other = _other(pair, submission_id)
    return Match(
        submission_id=other,
        author_id=authors[other],
        score=pair.score,
        overlap=overlaps[0],
        overlap_other=overlaps[1],
        structure=evidence["structure"],
        wording=evidence["wording"],
        is_same_group=evidence["is_same_group"],
        verdict=pair.verdict,
    )
