"""Policy, versions and extensions

Why: late policy, limits of attempts, extensions, and that an import keeps the versions before it.

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database here."""
    op.create_table('assignment_extensions',
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('student_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('due_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=True),
    sa.Column('late_due_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=True),
    sa.Column('extra_attempts', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('granted_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.Column('granted_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('extra_attempts >= 0', name=op.f('ck_assignment_extensions_extra_attempts')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignments.id'], name=op.f('fk_assignment_extensions_assignment_id_assignments'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['granted_by_id'], ['users.id'], name=op.f('fk_assignment_extensions_granted_by_id_users'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['student_id'], ['users.id'], name=op.f('fk_assignment_extensions_student_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('assignment_id', 'student_id', name=op.f('pk_assignment_extensions'))
    )
    with op.batch_alter_table('assignment_extensions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assignment_extensions_student_id'), ['student_id'], unique=False)

    op.create_table('assignment_versions',
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sa.String(length=255), nullable=False),
    sa.Column('imported_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=False),
    sa.Column('imported_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('check_report', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mariadb').with_variant(mysql.MEDIUMTEXT(), 'mysql'), nullable=True),
    sa.Column('check_job_id', sa.Integer(), nullable=True),
    sa.Column('checked_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignments.id'], name=op.f('fk_assignment_versions_assignment_id_assignments'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['imported_by_id'], ['users.id'], name=op.f('fk_assignment_versions_imported_by_id_users'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('assignment_id', 'number', name=op.f('pk_assignment_versions'))
    )
    with op.batch_alter_table('assignment_files', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version', sa.Integer(), server_default='1', nullable=False))
        # The new one first: MariaDB keeps an index for the foreign key.
        batch_op.create_unique_constraint(batch_op.f('uq_assignment_files_assignment_id_version_path'), ['assignment_id', 'version', 'path'])
        batch_op.drop_constraint(batch_op.f('uq_assignment_files_assignment_id_path'), type_='unique')

    with op.batch_alter_table('assignments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('submit_files', sa.String(length=2000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('late_due_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=True))
        batch_op.add_column(sa.Column('late_per', sa.String(length=4), server_default='day', nullable=False))
        batch_op.add_column(sa.Column('late_percent', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('grace_seconds', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('attempts_max', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('window_seconds', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('window_max', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('counts', sa.String(length=6), server_default='last', nullable=False))
        batch_op.add_column(sa.Column('version', sa.Integer(), server_default='1', nullable=False))
        batch_op.add_column(sa.Column('is_published', sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.create_check_constraint(batch_op.f('ck_assignments_late_percent'), 'late_percent >= 0 AND late_percent <= 100')
        batch_op.create_check_constraint(batch_op.f('ck_assignments_counts'), "counts IN ('last', 'best', 'chosen')")

    with op.batch_alter_table('grades', schema=None) as batch_op:
        batch_op.add_column(sa.Column('raw_score', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('raw_points', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('full_score', sa.Float(), nullable=True))
        batch_op.add_column(sa.Column('late_percent', sa.Float(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=True))

    with op.batch_alter_table('submission_files', schema=None) as batch_op:
        batch_op.add_column(sa.Column('submit_as', sa.String(length=100), nullable=True))

    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_chosen', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('superseded_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"), nullable=True))
        batch_op.add_column(sa.Column('same_as_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))

    op.execute(
        "INSERT INTO assignment_versions (assignment_id, number, source, imported_at) "
        "SELECT id, 1, '', created_at FROM assignments"
    )
    op.execute("UPDATE grades SET full_score = score, version = 1")


def downgrade() -> None:
    """Bring it back; of each assignment only the version that is graded with stays."""
    op.execute(
        "DELETE FROM assignment_files WHERE version <> "
        "(SELECT version FROM assignments WHERE assignments.id = assignment_files.assignment_id)"
    )
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.drop_column('same_as_id')
        batch_op.drop_column('superseded_at')
        batch_op.drop_column('is_chosen')

    with op.batch_alter_table('submission_files', schema=None) as batch_op:
        batch_op.drop_column('submit_as')

    with op.batch_alter_table('grades', schema=None) as batch_op:
        batch_op.drop_column('version')
        batch_op.drop_column('late_percent')
        batch_op.drop_column('full_score')
        batch_op.drop_column('raw_points')
        batch_op.drop_column('raw_score')

    with op.batch_alter_table('assignments', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_assignments_counts'), type_='check')
        batch_op.drop_constraint(batch_op.f('ck_assignments_late_percent'), type_='check')
        batch_op.drop_column('is_published')
        batch_op.drop_column('version')
        batch_op.drop_column('counts')
        batch_op.drop_column('window_max')
        batch_op.drop_column('window_seconds')
        batch_op.drop_column('attempts_max')
        batch_op.drop_column('grace_seconds')
        batch_op.drop_column('late_percent')
        batch_op.drop_column('late_per')
        batch_op.drop_column('late_due_at')
        batch_op.drop_column('submit_files')

    with op.batch_alter_table('assignment_files', schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f('uq_assignment_files_assignment_id_path'), ['assignment_id', 'path'])
        batch_op.drop_constraint(batch_op.f('uq_assignment_files_assignment_id_version_path'), type_='unique')
        batch_op.drop_column('version')

    op.drop_table('assignment_versions')
    op.drop_table('assignment_extensions')
