"""Find who shares a submission's rare fingerprints, and score those few. Only reads."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.academic.similarity import postings, store
from app.academic.similarity.score import Overlap, Rarity, Score, score_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from app.academic.similarity.postings import Postings
    from app.academic.similarity.store import Profile, Stored

CANDIDATES: Final = 12  # the AUC of 20 on the labelled sets, for about two thirds of the time
PROMISING: Final = 10 * CANDIDATES  # an author's many attempts must not crowd out the others
HOPELESS: Final = 0.02  # of the shared rare weight; who has less is not compared
POSTINGS_READ: Final = 2_000  # of the rarest fingerprints; what keeps a look-up flat in a large class

Counts = dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One other author's submission compared with ours."""

    submission_id: int
    author_id: int
    score: Score
    overlap: float
    overlap_other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What comparing one submission came to, ready to be written."""

    submission_id: int
    assignment_id: int
    class_size: int
    profile: Profile
    comparisons: tuple[Comparison, ...]


class Side:
    """A submission, what each of its fingerprints weighs, and what they weigh together."""

    def __init__(self, stored: Stored, counts: Counts, rarity: Rarity) -> None:
        self.stored = stored
        self.rarity = rarity
        self.profile: Profile = {
            feature: dict(Counter(counts.get(value, 1) for value in hashes))
            for feature, hashes in stored.features.items()
        }
        self.totals = totals(stored, self.profile, rarity)
        self.weights = {
            feature: {value: weight for value in hashes if (weight := rarity.weight(counts.get(value, 1)))}
            for feature, hashes in stored.features.items()
        }

    def overlap(
        self, other: Stored, shared: Iterable[int], theirs: Mapping[int, tuple[float, float]], feature: int
    ) -> Overlap:
        """Weights of one feature; what was thinned out differently is counted as if it had not been."""
        weights = self.weights.get(feature, {})
        scale = max(self.stored.scales.get(feature, 1.0), other.scales.get(feature, 1.0))
        both = scale * sum(weights[value] for value in shared if value in weights)
        weight, count = self.totals.get(feature, (0.0, 0.0))
        weight_other, count_other = theirs.get(feature, (0.0, 0.0))
        return Overlap(
            shared=both,
            total_a=weight,
            total_b=max(weight_other, both),
            count_a=count,
            count_b=count_other,
            unit=self.rarity.weight(1),
        )


def totals(stored: Stored, profile: Profile, rarity: Rarity) -> dict[int, tuple[float, float]]:
    """Weight and number of a submission's fingerprints that weigh anything, per feature."""
    found = {}
    for feature, of in profile.items():
        scale = stored.scales.get(feature, 1.0)
        weights = [(rarity.weight(authors), count) for authors, count in of.items()]
        found[feature] = (
            scale * sum(weight * count for weight, count in weights),
            scale * sum(count for weight, count in weights if weight),
        )
    return found


def compare(session: Session, submission_id: int, also: Iterable[int] = ()) -> Finding | None:
    """Compare a stored submission with those that share most of its rare fingerprints.

    `also` names submissions that it was found like before, when the class was smaller.
    """
    stored = store.documents(session, [submission_id]).get(submission_id)
    if stored is None:
        return None
    class_size = store.author_count(session, stored.assignment_id)
    rows = postings.read(session, stored.assignment_id, stored.hashes)
    rarity = Rarity(class_size, stored.kind)
    ours = Side(stored, {value: count for value, (count, _) in rows.items()}, rarity)
    chosen = _candidates(session, ours, rows)
    found = store.documents(session, {*chosen, *also})
    others = [it for it in found.values() if it.author_id != stored.author_id and it.kind == stored.kind]
    comparisons = [judged(ours, other, drifted(other, ours)) for other in others]
    return Finding(
        submission_id=submission_id,
        assignment_id=stored.assignment_id,
        class_size=class_size,
        profile=ours.profile,
        comparisons=tuple(sorted(comparisons, key=lambda it: (-it.score.value, it.submission_id))),
    )


def judged(ours: Side, other: Stored, theirs: Mapping[int, tuple[float, float]]) -> Comparison:
    """Score two submissions, given what the other's fingerprints weigh."""
    mine = ours.stored
    shared = {name: hashes & other.features.get(name, frozenset()) for name, hashes in mine.features.items()}
    overlaps = {name: ours.overlap(other, both, theirs, name) for name, both in shared.items()}
    count = sum(
        len(both) * max(mine.scales.get(name, 1.0), other.scales.get(name, 1.0))
        for name, both in shared.items()
    )
    return Comparison(
        submission_id=other.submission_id,
        author_id=other.author_id,
        score=score_of(
            other.kind,
            overlaps,
            is_small=ours.rarity.is_small,
            is_same_group=mine.is_same_as(other),
            is_same_text=mine.text_hash is not None and mine.text_hash == other.text_hash,
        ),
        overlap=_share(count, mine.size),
        overlap_other=_share(count, other.size),
    )


def drifted(other: Stored, ours: Side) -> dict[int, tuple[float, float]]:
    """What another's fingerprints weigh now, from how common they were when it was last compared.

    The author is one of those who have it; the rest grew with the class. Reading the counts anew
    would cost a row for every fingerprint of every candidate.
    """
    if not other.class_size:
        return _like_ours(other, ours)
    growth = (ours.rarity.author_count - 1) / max(1, other.class_size - 1)
    found = {}
    for feature, of in other.profile.items():
        scale = other.scales.get(feature, 1.0)
        weights = [(ours.rarity.weight(1 + (n - 1) * growth), count) for n, count in of.items()]
        found[feature] = (
            scale * sum(weight * count for weight, count in weights),
            scale * sum(count for weight, count in weights if weight),
        )
    return found


def _like_ours(other: Stored, ours: Side) -> dict[int, tuple[float, float]]:
    """A submission that was stored a moment ago and not yet compared: taken to be as rare as ours."""
    found = {}
    for feature, (weight, count) in ours.totals.items():
        mine = len(ours.stored.features[feature]) * ours.stored.scales[feature]
        ratio = len(other.features.get(feature, ())) * other.scales.get(feature, 1.0) / mine if mine else 0.0
        found[feature] = (weight * ratio, count * ratio)
    return found


def _candidates(session: Session, ours: Side, rows: Postings) -> list[int]:
    """The best and the newest submission of each of the most promising other authors."""
    stored = ours.stored
    promise = _promise(ours, rows)
    promise.update(dict.fromkeys(store.same_group(session, stored, CANDIDATES), math.inf))
    ranked = sorted(promise, key=lambda submission_id: (-promise[submission_id], submission_id))[:PROMISING]
    authors = store.authors_of(session, ranked)
    best: dict[int, int] = {}
    by_author: defaultdict[int, float] = defaultdict(float)
    for submission_id in ranked:
        author_id = authors.get(submission_id, stored.author_id)
        if author_id != stored.author_id:
            best.setdefault(author_id, submission_id)
            by_author[author_id] += promise[submission_id]
    chosen = sorted(by_author, key=lambda author_id: (-by_author[author_id], author_id))[:CANDIDATES]
    newest = store.newest_of(session, stored.assignment_id, chosen)
    return [*(best[author_id] for author_id in chosen), *newest.values()]


def _promise(ours: Side, rows: Postings) -> dict[int, float]:
    """Submissions by the weight of the rare fingerprints they share with ours, without the hopeless."""
    weight_of = {value: weight for weights in ours.weights.values() for value, weight in weights.items()}
    shared = sorted((rows[value][0], value) for value in weight_of if value in rows and rows[value][0] > 1)
    promise: defaultdict[int, float] = defaultdict(float)
    room, least = POSTINGS_READ, 0.0
    for _, value in shared:
        holders = rows[value][1].split(",")[1:-1]
        room -= len(holders)
        if room < 0:
            break
        least += weight_of[value]
        for holder in holders:
            promise[int(holder)] += weight_of[value]
    promise.pop(ours.stored.submission_id, None)
    return {key: weight for key, weight in promise.items() if weight >= HOPELESS * least}


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole else 0.0
