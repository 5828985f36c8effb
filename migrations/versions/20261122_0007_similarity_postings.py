"""Postings for the similarity check

Why: a check wrote and read a row per fingerprint and submission; one row per fingerprint is enough.
What was fingerprinted before is fingerprinted again when a class is compared anew; pairs and verdicts stay.

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the database here."""
    for name in ("similarity_fingerprints", "similarity_frequencies"):
        op.drop_table(name)
    _forget()
    with op.batch_alter_table("similarity_documents") as batch_op:
        batch_op.add_column(
            sa.Column(
                "hashes",
                sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"),
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("profile", sa.Text(), nullable=False))
    op.create_table(
        "similarity_postings",
        sa.Column("assignment_id", KEY, autoincrement=False, nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("author_count", sa.Integer(), nullable=False),
        sa.Column("holders", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignments.id"],
            name=op.f("fk_similarity_postings_assignment_id_assignments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assignment_id", "hash", name=op.f("pk_similarity_postings")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Bring it back."""
    op.drop_table("similarity_postings")
    _forget()
    with op.batch_alter_table("similarity_documents") as batch_op:
        batch_op.drop_column("profile")
        batch_op.drop_column("hashes")
    op.create_table(
        "similarity_frequencies",
        sa.Column("assignment_id", KEY, autoincrement=False, nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("author_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignments.id"],
            name=op.f("fk_similarity_frequencies_assignment_id_assignments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assignment_id", "hash", name=op.f("pk_similarity_frequencies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "similarity_fingerprints",
        sa.Column("assignment_id", KEY, autoincrement=False, nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("submission_id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["assignments.id"],
            name=op.f("fk_similarity_fingerprints_assignment_id_assignments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_similarity_fingerprints_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "assignment_id", "hash", "submission_id", name=op.f("pk_similarity_fingerprints")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_similarity_fingerprints_submission", "similarity_fingerprints", ["submission_id"]
    )


def _forget() -> None:
    """What the other way of fingerprinting made is of no use."""
    for name in ("similarity_documents", "similarity_classes"):
        op.execute(f"DELETE FROM {name}")
