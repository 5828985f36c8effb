"""How Alembic reaches the application's database; Flask-Migrate runs this inside its context."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from alembic import context
from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Connection

UTC_DATE_TIME = 'sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")'


def render_item(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own type of column as what databases see: a revision never imports the models."""
    if kind != "type" or type(item).__name__ != "UtcDateTime":
        return False
    autogen.imports.add("from sqlalchemy.dialects import mysql")
    return UTC_DATE_TIME


def leave_out_empty(_: object, __: object, directives: list[Any]) -> None:
    """Write no revision when the models say nothing new."""
    is_wanted = getattr(context.config.cmd_opts, "autogenerate", False)
    if is_wanted and directives[0].upgrade_ops.is_empty():
        directives.clear()


def configure(**where: Any) -> None:
    """Tell Alembic where the tables are, and how to compare and change them."""
    context.configure(
        target_metadata=current_app.extensions["migrate"].db.metadata,
        # SQLite changes a table by building it anew.
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        process_revision_directives=leave_out_empty,
        transaction_per_migration=True,
        **where,
    )


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Keep SQLite from deleting the rows that point to a table while it is built anew."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Past SQLAlchemy: inside a transaction, which it would begin, SQLite ignores this.
    raw = connection.connection.cursor()
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
        broken = raw.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration left rows that point nowhere: {broken[:5]}")
    finally:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.close()


def migrate_online() -> None:
    """Change the database itself."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as plain:
        # On SQLite the lock is waited for at the beginning, not asked for half way.
        connection = plain.execution_options(runner_immediate=True)
        with without_foreign_keys(connection):
            migrate_over(connection)


def migrate_over(connection: Connection) -> None:
    """Run the revisions, each in its transaction; SQLite's own DDL is rolled back too (our engine begins)."""
    own = {"transactional_ddl": True} if connection.dialect.name == "sqlite" else {}
    configure(connection=connection, **own)
    with context.begin_transaction():
        context.run_migrations()


def migrate_offline() -> None:
    """Print the SQL instead (`flask db upgrade --sql`)."""
    engine = current_app.extensions["migrate"].db.engine
    configure(url=engine.url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
