"""Reading and writing the index; every statement's cost is the submission's own size.

All writers of one assignment wait for one row (`lock_class`), so that counts stay right on
databases that let many write at once.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from app.academic.similarity import postings
from app.academic.similarity.models import (
    SimilarityClass,
    SimilarityDocument,
    SimilarityPair,
    SimilarityPosting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from app.academic.similarity.prints import Kind, Prints

Profile = dict[int, dict[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A document as it is compared; nothing of it is bound to a session."""

    submission_id: int
    assignment_id: int
    author_id: int
    kind: Kind
    whole_hash: int | None
    text_hash: int | None
    features: Mapping[int, frozenset[int]]
    scales: Mapping[int, float]
    profile: Profile
    class_size: int

    @property
    def hashes(self) -> frozenset[int]:
        """All its fingerprints."""
        return frozenset().union(*self.features.values())

    @property
    def size(self) -> float:
        """How many fingerprints it had before they were thinned out."""
        return sum(len(hashes) * self.scales[name] for name, hashes in self.features.items())

    def is_same_as(self, other: Stored) -> bool:
        """Whether the two are the same as a whole, in text or in structure."""
        return (self.whole_hash is not None and self.whole_hash == other.whole_hash) or (
            self.text_hash is not None and self.text_hash == other.text_hash
        )


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


def author_count(session: Session, assignment_id: int) -> int:
    """How many authors an assignment has, without waiting for anybody."""
    query = select(SimilarityClass.author_count).where(SimilarityClass.assignment_id == assignment_id)
    return session.scalar(query) or 0


def store_prints(
    session: Session, prints: Prints, *, submission_id: int, assignment_id: int, author_id: int
) -> SimilarityDocument:
    """Write a submission's fingerprints; storing the same again changes nothing."""
    klass = lock_class(session, assignment_id)
    known = session.get(SimilarityDocument, submission_id)
    if known is not None and (known.digest, known.author_id) == (prints.digest, author_id):
        return known
    if known is not None:
        forget(session, submission_id)
    others = author_hashes(session, assignment_id, author_id)
    if not others:
        klass.author_count += 1
    postings.add(session, assignment_id, submission_id, prints.hashes.difference(*others.values()))
    document = SimilarityDocument(
        submission_id=submission_id,
        assignment_id=assignment_id,
        author_id=author_id,
        kind=prints.kind,
        digest=prints.digest,
        whole_hash=prints.whole_hash,
        text_hash=prints.text_hash,
        totals=json.dumps({name: [len(it.hashes), it.total] for name, it in prints.features.items()}),
        hashes=b"".join(_packed(it.hashes) for it in prints.features.values()),
    )
    session.add(document)
    session.flush()
    return document


def forget(session: Session, submission_id: int) -> None:
    """Take a submission out of the comparison: its fingerprints, counts and undecided pairs."""
    document = session.get(SimilarityDocument, submission_id)
    if document is None:
        return
    assignment_id, author_id = document.assignment_id, document.author_id
    klass = lock_class(session, assignment_id)
    mine = set(stored(document).hashes)
    _delete_undecided(session, submission_id)
    session.delete(document)
    session.flush()
    others = author_hashes(session, assignment_id, author_id)
    for other, hashes in others.items():  # an attempt that is still there stands in
        postings.replace_holder(session, assignment_id, mine & hashes, submission_id, by=other)
        mine -= hashes
    postings.replace_holder(session, assignment_id, mine, submission_id, by=None)
    if not others:
        klass.author_count -= 1
    session.flush()


def rebuild(session: Session, assignment_id: int) -> int:
    """Count everything again from the documents, as after rows were deleted behind our back."""
    klass = lock_class(session, assignment_id)
    session.execute(delete(SimilarityPosting).where(SimilarityPosting.assignment_id == assignment_id))
    seen: dict[int, set[int]] = {}
    query = select(SimilarityDocument).where(SimilarityDocument.assignment_id == assignment_id)
    for document in session.scalars(query.order_by(SimilarityDocument.submission_id)):
        mine = seen.setdefault(document.author_id, set())
        hashes = stored(document).hashes
        postings.add(session, assignment_id, document.submission_id, hashes - mine)
        mine |= hashes
    klass.author_count = len(seen)
    session.flush()
    return len(seen)


def stored(document: Any) -> Stored:
    """Unpack a document, or a row of its columns."""
    sizes = {int(name): (kept, total) for name, (kept, total) in json.loads(document.totals).items()}
    values = struct.unpack(f"<{len(document.hashes) // 8}q", document.hashes)
    features, start = {}, 0
    for name, (kept, _) in sizes.items():
        features[name] = frozenset(values[start : start + kept])
        start += kept
    profile = json.loads(document.profile or "{}")
    return Stored(
        submission_id=document.submission_id,
        assignment_id=document.assignment_id,
        author_id=document.author_id,
        kind="prose" if document.kind == "prose" else "code",
        whole_hash=document.whole_hash,
        text_hash=document.text_hash,
        features=features,
        scales={name: total / kept if kept else 1.0 for name, (kept, total) in sizes.items()},
        profile={int(name): {int(n): count for n, count in of.items()} for name, of in profile.items()},
        class_size=document.class_size,
    )


def authors_of(session: Session, submission_ids: Iterable[int]) -> dict[int, int]:
    """Submission to author."""
    table = SimilarityDocument
    query = select(table.submission_id, table.author_id)
    return {
        submission_id: author_id
        for chunk in postings.chunks(submission_ids, 800)
        for submission_id, author_id in session.execute(query.where(table.submission_id.in_(chunk)))
    }


def newest_of(session: Session, assignment_id: int, author_ids: Iterable[int]) -> dict[int, int]:
    """Author to newest submission."""
    table = SimilarityDocument
    query = (
        select(table.author_id, func.max(table.submission_id))
        .where(table.assignment_id == assignment_id, table.author_id.in_(list(author_ids)))
        .group_by(table.author_id)
    )
    return dict(session.execute(query).all())


def documents(session: Session, submission_ids: Iterable[int]) -> dict[int, Stored]:
    """Unpacked documents by submission."""
    query = select(*_COLUMNS)
    return {
        row.submission_id: stored(row)
        for chunk in postings.chunks(submission_ids, 800)
        for row in session.execute(query.where(SimilarityDocument.submission_id.in_(chunk)))
    }


def same_group(session: Session, document: Stored, limit: int) -> list[int]:
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


def author_hashes(session: Session, assignment_id: int, author_id: int) -> dict[int, frozenset[int]]:
    """Fingerprints of each stored submission of an author: an author counts once."""
    query = select(SimilarityDocument).where(
        SimilarityDocument.assignment_id == assignment_id, SimilarityDocument.author_id == author_id
    )
    return {document.submission_id: stored(document).hashes for document in session.scalars(query)}


def _packed(hashes: Iterable[int]) -> bytes:
    values = sorted(hashes)
    return struct.pack(f"<{len(values)}q", *values)


def _delete_undecided(session: Session, submission_id: int) -> None:
    for side in (SimilarityPair.submission_a_id, SimilarityPair.submission_b_id):
        session.execute(
            delete(SimilarityPair).where(side == submission_id, SimilarityPair.verdict.is_(None)),
            execution_options={"synchronize_session": False},
        )


_COLUMNS = [
    getattr(SimilarityDocument, name)
    for name in (
        "submission_id",
        "assignment_id",
        "author_id",
        "kind",
        "whole_hash",
        "text_hash",
        "totals",
        "hashes",
        "profile",
        "class_size",
    )
]
