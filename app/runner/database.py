"""Engines as the runner needs them: SQLite made durable and patient, the others left as they are."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

# Long enough for another writer's longest pause; the caller hears of it after that.
BUSY_SECONDS: Final = 30
IMMEDIATE: Final = "runner_immediate"
SNAPSHOT: Final = "runner_snapshot"

# What cannot write; a WITH can do both.
_READS: Final = re.compile(
    r"\s*(SELECT|PRAGMA|EXPLAIN|VALUES|BEGIN|WITH(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def configure(engine: Engine) -> None:
    """Set an engine up once; on SQLite: WAL, fsync at every commit, waiting for locks.

    A transaction takes SQLite's write lock before its first write and waits for it; what it read
    before holds nobody up and is no reason to refuse it. With the execution option
    `runner_immediate` it takes the lock at its beginning, with `runner_snapshot` it reads one state
    of the database from beginning to end.
    """
    if engine.dialect.name != "sqlite" or event.contains(engine, "begin", _begin):
        return
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _lock_to_write)


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
    options = connection.get_execution_options()
    if options.get(IMMEDIATE, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get(SNAPSHOT, False):
        connection.exec_driver_sql("BEGIN")


def _lock_to_write(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
    """Begin where it begins to matter: SQLite refuses at once to write on what was read too long ago."""
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction and connection.in_transaction() and not _READS.match(statement):
        cursor.execute("BEGIN IMMEDIATE")
