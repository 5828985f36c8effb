"""Sliding rates

Why: a rate holds in every window of its length now, for which the latest starts are kept.

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "background_job_classes"
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Bring the database here."""
    op.add_column(TABLE, sa.Column("starts", sa.Text(), nullable=True))
    op.drop_column(TABLE, "window_started_at")
    op.drop_column(TABLE, "window_count")


def downgrade() -> None:
    """Bring it back."""
    op.add_column(TABLE, sa.Column("window_started_at", MOMENT, nullable=True))
    op.add_column(TABLE, sa.Column("window_count", sa.Integer(), nullable=False, server_default="0"))
    op.drop_column(TABLE, "starts")
