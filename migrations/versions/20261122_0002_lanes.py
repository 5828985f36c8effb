"""Lanes

Why: a claim read every job that was not yet due; in the line of its lane it reads none of them.

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JOBS = sa.table("background_jobs", sa.column("lane"), sa.column("rank"), sa.column("priority"))
INDEX = "ix_background_jobs_claim"
FIRST = ["status", "is_held", "waits_for"]


def upgrade() -> None:
    """Bring the database here."""
    # No batch: SQLite would build the largest table anew for what it can do in place.
    op.add_column("background_jobs", sa.Column("lane", sa.SmallInteger(), nullable=False, server_default="2"))
    # A rank below zero is that of a job which a person has sent ahead of all.
    op.execute(sa.update(JOBS).values(lane=sa.case((JOBS.c.rank < 0, 0), else_=JOBS.c.priority)))
    op.drop_index(INDEX, "background_jobs")
    op.create_index(INDEX, "background_jobs", [*FIRST, "lane", "run_at", "id"])


def downgrade() -> None:
    """Bring it back."""
    op.drop_index(INDEX, "background_jobs")
    op.create_index(INDEX, "background_jobs", [*FIRST, "rank", "id"])
    op.drop_column("background_jobs", "lane")
