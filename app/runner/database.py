"""Engines as the runner needs them: SQLite made durable and patient, the others left as they are."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

# Long enough for another writer's longest pause; the caller hears of it after that.
BUSY_SECONDS: Final = 30
IMMEDIATE: Final = "runner_immediate"


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
