"""A whole class compared at once, everybody with the counts of the end: what is due after a deadline."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.similarity import postings, store
from app.academic.similarity.compare import CANDIDATES, HOPELESS, POSTINGS_READ, Finding, Side, judged
from app.academic.similarity.engine import NOTABLE, keep_all, known_pairs, look_up
from app.academic.similarity.models import SimilarityDocument
from app.academic.similarity.score import Rarity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy.orm import Session

    from app.academic.similarity.store import Stored

AT_ONCE: Final = 1_000  # documents held in memory; a larger class is compared one by one


def compare_class(session: Session, assignment_id: int) -> Iterator[list[Finding]]:
    """Compare all of an assignment; only reads, and gives what is to be kept in portions."""
    table = SimilarityDocument
    ids = session.scalars(
        select(table.submission_id).where(table.assignment_id == assignment_id).order_by(table.submission_id)
    ).all()
    if len(ids) > AT_ONCE:
        yield from (look_up(session, submission_id) for submission_id in ids)
        return
    documents = store.documents(session, ids)
    notable = {
        one: {other for other, pair in pairs.items() if pair.score >= NOTABLE}
        for chunk in postings.chunks(ids, 400)
        for one, pairs in known_pairs(session, chunk).items()
    }
    yield compare_all(documents, notable)


def compare_all(documents: dict[int, Stored], notable: dict[int, set[int]] | None = None) -> list[Finding]:
    """Compare documents with each other; `notable` are pairs to be compared whatever they share."""
    counts = _authors_by_fingerprint(documents)
    class_size = len({document.author_id for document in documents.values()})
    sides = {
        name: Side(document, counts, Rarity(class_size, document.kind))
        for name, document in documents.items()
    }
    promising = _promising(sides, counts)
    for one, others in (notable or {}).items():
        promising[one].update(other for other in others if other in documents)
    return [_finding(side, sides, promising.get(name, set())) for name, side in sides.items()]


def sweep_and_keep(
    session: Session, assignment_id: int, on_progress: Callable[[int], None] | None = None
) -> int:
    """Do it all in the caller's transaction; returns how many were compared."""
    done = 0
    for findings in compare_class(session, assignment_id):
        keep_all(session, findings)
        done += len(findings)
        if on_progress:
            on_progress(done)
    return done


def _authors_by_fingerprint(documents: dict[int, Stored]) -> Counter[int]:
    by_author: defaultdict[int, set[int]] = defaultdict(set)
    for document in documents.values():
        by_author[document.author_id] |= document.hashes
    return Counter(chain.from_iterable(by_author.values()))


def _promising(sides: dict[int, Side], counts: Counter[int]) -> defaultdict[int, set[int]]:
    """Per submission, those of other authors that share most of its rare fingerprints; both ways."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for name, side in sides.items():
        for value in chain.from_iterable(side.weights.values()):
            if counts[value] > 1:
                holders[value].append(name)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for name, side in sides.items():
        for other in _most_promising(side, sides, holders):
            found[name].add(other)
            found[other].add(name)
    for group in _same_groups(sides):
        for name in group:
            found[name].update([other for other in group if other != name][:CANDIDATES])
    return found


def _same_groups(sides: dict[int, Side]) -> Iterable[list[int]]:
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for name, side in sides.items():
        for kind, whole in (("whole", side.stored.whole_hash), ("text", side.stored.text_hash)):
            if whole is not None:
                groups[(kind, whole)].append(name)
    return groups.values()


def _most_promising(side: Side, sides: dict[int, Side], holders: dict[int, list[int]]) -> list[int]:
    weight_of = {
        value: weight
        for weights in side.weights.values()
        for value, weight in weights.items()
        if value in holders
    }
    promise: defaultdict[int, float] = defaultdict(float)
    room, least = POSTINGS_READ, 0.0
    for value in sorted(weight_of, key=lambda value: len(holders[value])):
        room -= len(holders[value])
        if room < 0:
            break
        least += weight_of[value]
        for other in holders[value]:
            promise[other] += weight_of[value]
    author_id = side.stored.author_id
    ranked = sorted(
        (
            other
            for other, weight in promise.items()
            if weight >= HOPELESS * least and sides[other].stored.author_id != author_id
        ),
        key=lambda other: -promise[other],
    )
    best: dict[int, int] = {}
    for other in ranked:
        best.setdefault(sides[other].stored.author_id, other)
    return list(best.values())[:CANDIDATES]


def _finding(side: Side, sides: dict[int, Side], others: set[int]) -> Finding:
    stored = side.stored
    compared = [
        judged(side, sides[other].stored, sides[other].totals)
        for other in sorted(others)
        if sides[other].stored.author_id != stored.author_id and sides[other].stored.kind == stored.kind
    ]
    return Finding(
        submission_id=stored.submission_id,
        assignment_id=stored.assignment_id,
        class_size=side.rarity.author_count,
        profile=side.profile,
        comparisons=tuple(compared),
    )
