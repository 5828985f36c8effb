"""The tables of the similarity check.

A fingerprint is a signed 64-bit hash of a short run of tokens, syntax nodes, characters or
words. `similarity_fingerprints` says who has it, `similarity_frequencies` how many authors do:
a look-up asks the second for the rare ones and only then the first, so that the k-th
submission costs its own size and not k.
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
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, BigId, UtcDateTime

VERDICTS: Final = ("dismissed", "confirmed")


class SimilarityClass(Base):
    """One assignment's count of authors; its row is also the lock of the assignment's writers."""

    __tablename__ = "similarity_classes"

    assignment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    author_count: Mapped[int] = mapped_column(Integer, default=0)


class SimilarityDocument(Base):
    """What is known of one fingerprinted submission beside its fingerprints."""

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
    """JSON: per set of fingerprints how many there are, and how many there were before winnowing."""
    class_size: Mapped[int] = mapped_column(Integer, default=0)
    """How many authors there were when this submission was last compared."""
    note: Mapped[str] = mapped_column(String(200), default="")
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class SimilarityFingerprint(Base):
    """A submission has a fingerprint, first seen at a position (file number and line)."""

    __tablename__ = "similarity_fingerprints"
    __table_args__ = (
        Index("ix_similarity_fingerprints_submission", "submission_id"),
        {"sqlite_with_rowid": False},
    )

    assignment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    submission_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[int] = mapped_column(SmallInteger)
    position: Mapped[int] = mapped_column(Integer)


class SimilarityFrequency(Base):
    """How many different authors of an assignment have a fingerprint."""

    __tablename__ = "similarity_frequencies"
    __table_args__ = ({"sqlite_with_rowid": False},)

    assignment_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    author_count: Mapped[int] = mapped_column(Integer)


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
