"""Indexes of what is under way only

Why: every end was written to the indexes of waiting and running jobs, and finished jobs made up most of them.

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "background_jobs"
CLAIM = ("ix_background_jobs_claim", ["status", "is_held", "waits_for", "lane", "run_at", "id"])
LAUNCHER = ("ix_background_jobs_launcher", ["launcher_id"])


def upgrade() -> None:
    """Bring the database here."""
    pending, taken = sa.text("status = 'pending'"), sa.text("launcher_id IS NOT NULL")
    for name, _ in (CLAIM, LAUNCHER):
        op.drop_index(name, TABLE)
    op.create_index(CLAIM[0], TABLE, CLAIM[1], sqlite_where=pending)
    op.create_index(LAUNCHER[0], TABLE, LAUNCHER[1], sqlite_where=taken, postgresql_where=taken)


def downgrade() -> None:
    """Bring it back."""
    for name, columns in (CLAIM, LAUNCHER):
        op.drop_index(name, TABLE)
        op.create_index(name, TABLE, columns)
