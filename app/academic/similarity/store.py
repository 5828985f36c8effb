"""Reading and writing fingerprints; every statement's cost is the submission's own size.

All writers of one assignment wait for one row (`lock_class`), so that counts stay right on
databases that let many write at once.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.academic.similarity.models import (
    SimilarityClass,
    SimilarityDocument,
    SimilarityFingerprint,
    SimilarityFrequency,
    SimilarityPair,
)
from app.academic.similarity.prints import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.academic.similarity.prints import Prints

CHUNK: Final = 800  # values of one IN list; older SQLite stops at 999


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored submission's fingerprints: hash to feature, and what one stands for per feature."""

    document: SimilarityDocument
    hashes: Mapping[int, int]
    scales: Mapping[int, float]


def chunks(values: Iterable[int]) -> Iterator[list[int]]:
    """Cut values into lists short enough for one statement."""
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def lock_class(session: Session, assignment_id: int) -> SimilarityClass:
    """Wait for the assignment's other writers, and read how many authors it has."""
    query = (
        select(SimilarityClass)
        .where(SimilarityClass.assignment_id == assignment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.scalars(query).one_or_none()
    if found is not None:
        return found
    try:
        with session.begin_nested():
            session.add(SimilarityClass(assignment_id=assignment_id, author_count=0))
    except IntegrityError:
        if session.scalars(query).one_or_none() is None:
            raise  # not another writer's row: there is no such assignment
    return session.scalars(query).one()


def store(
    session: Session, prints: Prints, *, submission_id: int, assignment_id: int, author_id: int
) -> SimilarityDocument:
    """Write a submission's fingerprints; storing the same again changes nothing."""
    klass = lock_class(session, assignment_id)
    known = session.get(SimilarityDocument, submission_id)
    if known is not None and (known.digest, known.author_id) == (prints.digest, author_id):
        return known
    if known is not None:
        forget(session, submission_id)
    earlier = _author_hashes(session, assignment_id, author_id)
    if not _has_documents(session, assignment_id, author_id):
        klass.author_count += 1
    hashes = {value for feature in prints.features.values() for value in feature.positions}
    _count_up(session, assignment_id, hashes - earlier)
    document = SimilarityDocument(
        submission_id=submission_id,
        assignment_id=assignment_id,
        author_id=author_id,
        kind=prints.kind,
        digest=prints.digest,
        whole_hash=prints.whole_hash,
        text_hash=prints.text_hash,
        totals=json.dumps({name: [len(f.positions), f.total] for name, f in prints.features.items()}),
    )
    session.add(document)
    session.flush()
    _write_postings(session, prints, assignment_id, submission_id)
    return document


def forget(session: Session, submission_id: int) -> None:
    """Take a submission out of the comparison: its fingerprints, counts and undecided pairs."""
    document = session.get(SimilarityDocument, submission_id)
    if document is None:
        return
    assignment_id, author_id = document.assignment_id, document.author_id
    klass = lock_class(session, assignment_id)
    mine = set(load(session, document).hashes)
    session.execute(delete(SimilarityFingerprint).where(SimilarityFingerprint.submission_id == submission_id))
    _delete_undecided(session, submission_id)
    session.delete(document)
    session.flush()
    _count_down(session, assignment_id, mine - _author_hashes(session, assignment_id, author_id))
    if not _has_documents(session, assignment_id, author_id):
        klass.author_count -= 1
    session.flush()


def load(session: Session, document: SimilarityDocument) -> Stored:
    """Read a submission's fingerprints back."""
    rows = session.execute(
        select(SimilarityFingerprint.hash, SimilarityFingerprint.kind).where(
            SimilarityFingerprint.submission_id == document.submission_id
        )
    )
    return Stored(document=document, hashes=dict(rows.all()), scales=scales_of(document.totals))


def scales_of(totals: str) -> dict[int, float]:
    """Per feature, how many fingerprints each kept one stands for."""
    return {int(name): total / kept if kept else 1.0 for name, (kept, total) in json.loads(totals).items()}


def frequencies(session: Session, assignment_id: int, hashes: Iterable[int]) -> dict[int, int]:
    """How many authors have each of these fingerprints."""
    found: dict[int, int] = {}
    for chunk in chunks(hashes):
        rows = session.execute(
            select(SimilarityFrequency.hash, SimilarityFrequency.author_count).where(
                SimilarityFrequency.assignment_id == assignment_id, SimilarityFrequency.hash.in_(chunk)
            )
        )
        found.update((value, count) for value, count in rows)
    return found


def holders(
    session: Session, assignment_id: int, hashes: Iterable[int], among: Sequence[int] | None = None
) -> Iterator[tuple[int, int]]:
    """Submission and fingerprint, for all that have one of these (or only `among` some)."""
    table = SimilarityFingerprint
    for chunk in chunks(hashes):
        query = select(table.submission_id, table.hash).where(
            table.assignment_id == assignment_id, table.hash.in_(chunk)
        )
        if among is not None:
            query = query.where(table.submission_id.in_(among))
        yield from session.execute(query)


def documents(session: Session, submission_ids: Iterable[int]) -> dict[int, SimilarityDocument]:
    """Documents by submission."""
    query = select(SimilarityDocument)
    return {
        document.submission_id: document
        for chunk in chunks(submission_ids)
        for document in session.scalars(query.where(SimilarityDocument.submission_id.in_(chunk)))
    }


def frequency_profile(session: Session, submission_ids: Sequence[int]) -> dict[tuple[int, int], Counter[int]]:
    """Per submission and feature: how many of its fingerprints so many authors have."""
    posting, frequency = SimilarityFingerprint, SimilarityFrequency
    rows = session.execute(
        select(posting.submission_id, posting.kind, frequency.author_count, func.count())
        .join(
            frequency,
            (frequency.assignment_id == posting.assignment_id) & (frequency.hash == posting.hash),
        )
        .where(posting.submission_id.in_(submission_ids))
        .group_by(posting.submission_id, posting.kind, frequency.author_count)
    )
    found: dict[tuple[int, int], Counter[int]] = {}
    for submission_id, kind, authors, count in rows:
        found.setdefault((submission_id, kind), Counter())[authors] = count
    return found


def same_group(session: Session, document: SimilarityDocument, limit: int) -> list[int]:
    """Submissions of others that are the same as a whole, in text or in structure."""
    found: dict[int, None] = {}
    for column, value in (  # one query each: an OR of both would read the whole assignment
        (SimilarityDocument.whole_hash, document.whole_hash),
        (SimilarityDocument.text_hash, document.text_hash),
    ):
        if value is not None:
            query = (
                select(SimilarityDocument.submission_id)
                .where(
                    SimilarityDocument.assignment_id == document.assignment_id,
                    column == value,
                    SimilarityDocument.author_id != document.author_id,
                )
                .limit(limit)
            )
            found |= dict.fromkeys(session.scalars(query))
    return list(found)


def is_same(document: SimilarityDocument, other: SimilarityDocument) -> bool:
    """Whether two submissions are the same as a whole."""
    return any(
        mine is not None and mine == theirs
        for mine, theirs in (
            (document.whole_hash, other.whole_hash),
            (document.text_hash, other.text_hash),
        )
    )


def _has_documents(session: Session, assignment_id: int, author_id: int) -> bool:
    query = exists().where(
        SimilarityDocument.assignment_id == assignment_id, SimilarityDocument.author_id == author_id
    )
    return bool(session.scalar(select(query)))


def _author_hashes(session: Session, assignment_id: int, author_id: int) -> set[int]:
    """Fingerprints of all stored submissions of an author: an author counts once."""
    query = (
        select(SimilarityFingerprint.hash)
        .join(SimilarityDocument, SimilarityDocument.submission_id == SimilarityFingerprint.submission_id)
        .where(SimilarityDocument.assignment_id == assignment_id, SimilarityDocument.author_id == author_id)
    )
    return set(session.scalars(query))


def _count_up(session: Session, assignment_id: int, hashes: set[int]) -> None:
    known = set(frequencies(session, assignment_id, hashes))
    _add_to_counts(session, assignment_id, known, 1)
    fresh = [
        {"assignment_id": assignment_id, "hash": value, "author_count": 1} for value in sorted(hashes - known)
    ]
    if fresh:
        session.execute(insert(SimilarityFrequency), fresh)


def _count_down(session: Session, assignment_id: int, hashes: set[int]) -> None:
    _add_to_counts(session, assignment_id, hashes, -1)
    for chunk in chunks(hashes):
        session.execute(
            delete(SimilarityFrequency).where(
                SimilarityFrequency.assignment_id == assignment_id,
                SimilarityFrequency.hash.in_(chunk),
                SimilarityFrequency.author_count <= 0,
            ),
            execution_options={"synchronize_session": False},
        )


def _add_to_counts(session: Session, assignment_id: int, hashes: set[int], by: int) -> None:
    for chunk in chunks(hashes):
        session.execute(
            update(SimilarityFrequency)
            .where(SimilarityFrequency.assignment_id == assignment_id, SimilarityFrequency.hash.in_(chunk))
            .values(author_count=SimilarityFrequency.author_count + by),
            execution_options={"synchronize_session": False},
        )


def _write_postings(session: Session, prints: Prints, assignment_id: int, submission_id: int) -> None:
    rows = {
        value: {
            "assignment_id": assignment_id,
            "hash": value,
            "submission_id": submission_id,
            "kind": feature,
            "position": position,
        }
        for feature in FEATURES
        if feature in prints.features
        for value, position in prints.features[feature].positions.items()
    }
    if rows:
        session.execute(insert(SimilarityFingerprint), [rows[value] for value in sorted(rows)])


def _delete_undecided(session: Session, submission_id: int) -> None:
    session.execute(
        delete(SimilarityPair).where(
            (SimilarityPair.submission_a_id == submission_id)
            | (SimilarityPair.submission_b_id == submission_id),
            SimilarityPair.verdict.is_(None),
        ),
        execution_options={"synchronize_session": False},
    )
