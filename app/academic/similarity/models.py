"""The tables of the similarity check.

A fingerprint is a signed 64-bit hash of a short run of tokens, syntax nodes, characters or
words. A document keeps its own, packed; `similarity_postings` says of each how many authors
have it and which submissions had it first. A look-up reads one row per fingerprint of the
submission and then the few documents that it finds, so the k-th submission costs its own size
and not k.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations when it maps
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId, UtcDateTime

VERDICTS: Final = ("dismissed", "confirmed")
HOLDERS_LENGTH: Final = 300

# MariaDB gives a BLOB 64 KiB unless told otherwise.
LongBytes = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


class SimilarityClass(Base):
    """One assignment's count of authors; its row is also the lock of the assignment's writers."""

    __tablename__ = "similarity_classes"

    assignment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    author_count: Mapped[int] = mapped_column(Integer, default=0)


class SimilarityDocument(Base):
    """A fingerprinted submission: its fingerprints and what is known of it as a whole."""

    __tablename__ = "similarity_documents"
    __table_args__ = (
        Index("ix_similarity_documents_author", "assignment_id", "author_id"),
        Index("ix_similarity_documents_whole", "assignment_id", "whole_hash"),
        Index("ix_similarity_documents_text", "assignment_id", "text_hash"),
        Index("ix_similarity_documents_stale", "assignment_id", "class_size"),
    )

    submission_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    assignment_id: Mapped[int] = mapped_column(BigId, ForeignKey("assignments.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(5))
    digest: Mapped[str] = mapped_column(String(32))
    """Hash of all fingerprints: the same digest needs no second writing."""
    whole_hash: Mapped[int | None] = mapped_column(BigInteger)
    """Hash of the whole normalised program; equal means the same group, however large."""
    text_hash: Mapped[int | None] = mapped_column(BigInteger)
    """Hash of the whole text without white space; judges programs too short for the other."""
    totals: Mapped[str] = mapped_column(String(200))
    """JSON: per set of fingerprints how many are kept, and how many there were before thinning out."""
    hashes: Mapped[bytes] = mapped_column(LongBytes)
    """The fingerprints, set after set in the order of `totals`, as little-endian 64-bit numbers."""
    profile: Mapped[str] = mapped_column(Text, default="{}")
    """JSON: per set, how many fingerprints so many authors had when it was last compared."""
    class_size: Mapped[int] = mapped_column(Integer, default=0)
    """How many authors there were when this submission was last compared."""
    note: Mapped[str] = mapped_column(String(200), default="")
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class SimilarityPosting(Base):
    """How many different authors of an assignment have a fingerprint, and who had it first."""

    __tablename__ = "similarity_postings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    assignment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    author_count: Mapped[int] = mapped_column(Integer)
    holders: Mapped[str] = mapped_column(String(HOLDERS_LENGTH))
    """Submissions of different authors that had it first, `,3,17,`; no more are written when it is full."""


class SimilarityPair(Base):
    """Two submissions by different authors, how alike they are, and what a person made of it."""

    __tablename__ = "similarity_pairs"
    __table_args__ = (
        CheckConstraint("submission_a_id < submission_b_id", name="order"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint("verdict IS NULL OR verdict IN ('dismissed', 'confirmed')", name="verdict"),
        CheckConstraint("(verdict IS NULL) = (decided_at IS NULL)", name="decided"),
        UniqueConstraint("submission_a_id", "submission_b_id"),
        Index("ix_similarity_pairs_b", "submission_b_id"),
        Index("ix_similarity_pairs_ranked", "assignment_id", "score"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(BigId, ForeignKey("assignments.id", ondelete="CASCADE"))
    submission_a_id: Mapped[int] = mapped_column(BigId, ForeignKey("submissions.id", ondelete="CASCADE"))
    submission_b_id: Mapped[int] = mapped_column(BigId, ForeignKey("submissions.id", ondelete="CASCADE"))
    score: Mapped[int] = mapped_column(SmallInteger)
    overlap_a: Mapped[float] = mapped_column(Float)
    """Raw share of a's fingerprints that b has too, 0 to 1."""
    overlap_b: Mapped[float] = mapped_column(Float)
    evidence: Mapped[str] = mapped_column(Text)
    """JSON: the parts the score was made of."""
    verdict: Mapped[str | None] = mapped_column(String(10))
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(Text, default="")
    compared_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
