"""Find who shares a submission's rare fingerprints, and score those few."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.similarity import store
from app.academic.similarity.prints import FEATURES
from app.academic.similarity.score import Overlap, Rarity, Score, score_code, score_prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.similarity.models import SimilarityDocument
    from app.academic.similarity.prints import Kind
    from app.academic.similarity.store import Stored

CANDIDATES: Final = 12  # the AUC of 20 on the labelled sets, for about two thirds of the time
PROMISING: Final = 10 * CANDIDATES  # an author's many attempts must not crowd out the others
HOPELESS: Final = 0.02  # of the shared rare weight; who has less is not compared
POSTINGS_READ: Final = 5_000  # of the rarest fingerprints; what keeps a look-up flat in a large class


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One other author's submission compared with ours."""

    document: SimilarityDocument
    score: Score
    overlap: float
    overlap_other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ours:
    stored: Stored
    counts: Mapping[int, int]
    rarity: Rarity


def compare(
    session: Session, stored: Stored, author_count: int, also: Iterable[int] = ()
) -> list[Comparison]:
    """Compare a stored submission with those that share most of its rare fingerprints.

    `also` names submissions that it was found like before, when the class was smaller.
    """
    counts = store.frequencies(session, stored.document.assignment_id, stored.hashes)
    ours = _Ours(stored=stored, counts=counts, rarity=Rarity(author_count, _kind(stored.document)))
    candidates = _candidates(session, ours) | store.documents(session, also)
    if not candidates:
        return []
    chosen = list(candidates)
    shared: defaultdict[int, list[int]] = defaultdict(list)
    assignment_id = stored.document.assignment_id
    for submission_id, value in store.holders(session, assignment_id, stored.hashes, chosen):
        shared[submission_id].append(value)
    profiles = store.frequency_profile(session, chosen)
    mine = store.frequency_profile(session, [stored.document.submission_id])
    return sorted(
        (
            _compared(ours, other, shared[submission_id], {**mine, **profiles})
            for submission_id, other in candidates.items()
        ),
        key=lambda found: (-found.score.value, found.document.submission_id),
    )


def _kind(document: SimilarityDocument) -> Kind:
    return "prose" if document.kind == "prose" else "code"


def _candidates(session: Session, ours: _Ours) -> dict[int, SimilarityDocument]:
    """The best submission of each of the most promising other authors."""
    document = ours.stored.document
    group = store.same_group(session, document, CANDIDATES)
    promise: defaultdict[int, float] = defaultdict(float, dict.fromkeys(group, math.inf))
    rare = _rarest(ours)
    for submission_id, value in store.holders(session, document.assignment_id, rare):
        promise[submission_id] += ours.rarity.weight(ours.counts[value])
    least = HOPELESS * sum(ours.rarity.weight(ours.counts[value]) for value in rare)
    hopeful = [submission_id for submission_id, weight in promise.items() if weight >= least]
    ranked = sorted(hopeful, key=lambda submission_id: -promise[submission_id])[:PROMISING]
    known = store.documents(session, ranked)
    best: dict[int, SimilarityDocument] = {}
    for submission_id in ranked:
        other = known[submission_id]
        if other.author_id != document.author_id and other.kind == document.kind:
            best.setdefault(other.author_id, other)
    return {other.submission_id: other for other in list(best.values())[:CANDIDATES]}


def _rarest(ours: _Ours) -> list[int]:
    """Fingerprints that others have too, rarest first, as many as may be looked up."""
    shared = sorted(
        (count, value) for value, count in ours.counts.items() if count > 1 and ours.rarity.weight(count) > 0
    )
    chosen, room = [], POSTINGS_READ
    for count, value in shared:
        room -= count
        if room < 0:
            break
        chosen.append(value)
    return chosen


def _compared(
    ours: _Ours,
    other: SimilarityDocument,
    shared: Sequence[int],
    profiles: Mapping[tuple[int, int], Counter[int]],
) -> Comparison:
    document = ours.stored.document
    scales = store.scales_of(other.totals)
    overlaps = {
        feature: _overlap(
            ours,
            [value for value in shared if ours.stored.hashes[value] == feature],
            profiles.get((document.submission_id, feature), Counter()),
            profiles.get((other.submission_id, feature), Counter()),
            (ours.stored.scales.get(feature, 1.0), scales.get(feature, 1.0)),
        )
        for feature in FEATURES
    }
    return Comparison(
        document=other,
        score=_score(document, other, overlaps, is_small=ours.rarity.is_small),
        overlap=_share(len(shared), len(ours.stored.hashes)),
        overlap_other=_share(len(shared), _size(profiles, other.submission_id)),
    )


def _score(
    document: SimilarityDocument,
    other: SimilarityDocument,
    overlaps: Mapping[int, Overlap],
    *,
    is_small: bool,
) -> Score:
    if document.kind == "prose":
        return score_prose(overlaps, is_small=is_small, is_same_group=store.is_same(document, other))
    return score_code(overlaps, is_small=is_small, is_same_group=store.is_same(document, other))


def _overlap(
    ours: _Ours,
    shared: Iterable[int],
    mine: Counter[int],
    theirs: Counter[int],
    scales: tuple[float, float],
) -> Overlap:
    """Weights of one feature; what was winnowed differently is counted as if it had not been."""
    rarity = ours.rarity
    scale_mine, scale_theirs = scales
    return Overlap(
        shared=sum(rarity.weight(ours.counts.get(value, 0)) for value in shared) * max(scales),
        total_a=scale_mine * sum(rarity.weight(authors) * count for authors, count in mine.items()),
        total_b=scale_theirs * sum(rarity.weight(authors) * count for authors, count in theirs.items()),
        count_a=scale_mine * sum(count for authors, count in mine.items() if rarity.weight(authors)),
        count_b=scale_theirs * sum(count for authors, count in theirs.items() if rarity.weight(authors)),
    )


def _size(profiles: Mapping[tuple[int, int], Counter[int]], submission_id: int) -> int:
    return sum(profiles.get((submission_id, feature), Counter()).total() for feature in FEATURES)


def _share(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
