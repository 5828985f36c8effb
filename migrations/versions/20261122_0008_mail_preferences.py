"""Mail preferences

Why: people choose their mails, registering is confirmed by mail, staff are told of failures.

Revision: 0008, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database here."""
    op.create_table('mail_refused_addresses',
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('refused_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_mail_refused_addresses'))
    )
    op.create_table('registrations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('first_name', sa.String(length=100), nullable=False),
    sa.Column('last_name', sa.String(length=100), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.Column('expires_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_registrations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_registrations_token_hash'))
    )
    with op.batch_alter_table('registrations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_registrations_expires_at'), ['expires_at'], unique=False)

    op.create_table('mail_digest_items',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('dedupe_key', sa.String(length=200), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scope', sa.String(length=8), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('fact', sa.Text(), nullable=False),
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_mail_digest_items_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_digest_items')),
    sa.UniqueConstraint('dedupe_key', name=op.f('uq_mail_digest_items_dedupe_key'))
    )
    with op.batch_alter_table('mail_digest_items', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_digest_items_user_id'), ['user_id'], unique=False)

    op.create_table('mail_preferences',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('receipts', sa.String(length=6), nullable=False),
    sa.Column('grades', sa.String(length=6), nullable=False),
    sa.Column('alarms', sa.String(length=6), nullable=False),
    sa.Column('token', sa.String(length=43), nullable=False),
    sa.Column('changed_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.CheckConstraint("alarms IN ('every', 'ends', 'digest', 'none')", name=op.f('ck_mail_preferences_alarms')),
    sa.CheckConstraint("grades IN ('every', 'ends', 'digest', 'none')", name=op.f('ck_mail_preferences_grades')),
    sa.CheckConstraint("receipts IN ('every', 'ends', 'digest', 'none')", name=op.f('ck_mail_preferences_receipts')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_mail_preferences_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_mail_preferences')),
    sa.UniqueConstraint('token', name=op.f('uq_mail_preferences_token'))
    )
    op.create_table('told_failures',
    sa.Column('job_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attempt', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('told_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['background_jobs.id'], name=op.f('fk_told_failures_job_id_background_jobs'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'attempt', name=op.f('pk_told_failures'))
    )
    op.create_table('told_grades',
    sa.Column('submission_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('said', sa.String(length=200), nullable=False),
    sa.Column('told_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.ForeignKeyConstraint(['submission_id'], ['submissions.id'], name=op.f('fk_told_grades_submission_id_submissions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('submission_id', name=op.f('pk_told_grades'))
    )
    with op.batch_alter_table('courses', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_score_in_subject', sa.Boolean(), server_default=sa.true(), nullable=False))

    with op.batch_alter_table('outbox_mails', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unsubscribe_url', sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column('sender', sa.String(length=40), nullable=True))



def downgrade() -> None:
    """Bring it back."""
    with op.batch_alter_table('outbox_mails', schema=None) as batch_op:
        batch_op.drop_column('sender')
        batch_op.drop_column('unsubscribe_url')

    with op.batch_alter_table('courses', schema=None) as batch_op:
        batch_op.drop_column('is_score_in_subject')

    op.drop_table('told_grades')
    op.drop_table('told_failures')
    op.drop_table('mail_preferences')
    op.drop_table('mail_digest_items')
    op.drop_table('registrations')
    op.drop_table('mail_refused_addresses')
