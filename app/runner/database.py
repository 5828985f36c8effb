"""Engines as the runner needs them: SQLite made durable and patient, the others left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event

if TYPE_CHECKING:
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

# Long enough for another writer's longest pause; the caller hears of it after that.
BUSY_SECONDS: Final = 30
IMMEDIATE: Final = "runner_immediate"
# SQLSTATEs of PostgreSQL; codes of MariaDB: a deadlock, a row that has changed meanwhile.
_PG_DEADLOCKS: Final = ("40P01", "40001")
_MARIADB_DEADLOCKS: Final = (1213, 1020)


def begin_writing(session: Session) -> None:
    """Begin a transaction of the runner's own: on SQLite with the lock, elsewhere reading what is committed.

    MariaDB's usual REPEATABLE READ locks the gaps between rows and makes launchers deadlock; what a
    host has chosen for its own transactions stays as it is.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite":
        session.connection(execution_options={IMMEDIATE: True})
    elif dialect in {"mysql", "mariadb"}:
        # For this transaction, which begins with the next statement: one question instead of four.
        session.connection().exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    else:
        session.connection(execution_options={"isolation_level": "READ COMMITTED"})


def is_deadlock(error: SQLAlchemyError) -> bool:
    """Whether a transaction was given up in favour of another one, and can simply be tried again."""
    original = getattr(error, "orig", None)
    if getattr(original, "sqlstate", None) in _PG_DEADLOCKS:
        return True
    return bool(original is not None and original.args and original.args[0] in _MARIADB_DEADLOCKS)


def configure(engine: Engine) -> None:
    """Set an engine up once; on SQLite: WAL, fsync at every commit, waiting for locks.

    A transaction whose connection has the execution option `runner_immediate` takes SQLite's write
    lock at its beginning, where waiting for it is possible.
    """
    if engine.dialect.name != "sqlite" or event.contains(engine, "begin", _begin):
        return
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)


def _connect(connection: Any, record: object) -> None:
    del record
    # The driver's own BEGIN comes too late, before the first write: the one of _begin counts.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
