"""Engines as the runner needs them: SQLite made durable and patient, the others left as they are."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session
    from sqlalchemy.pool import ConnectionPoolEntry

# Long enough for another writer's longest pause; the caller hears of it after that.
BUSY_SECONDS: Final = 30
IMMEDIATE: Final = "runner_immediate"
SNAPSHOT: Final = "runner_snapshot"
_IDENTITY: Final = "runner_file"
# What SQLite says, without saying of which file, when something is wrong with it.
_OF_THE_FILE: Final = (
    "unable to open database file",
    "attempt to write a readonly database",
    "disk I/O error",
    "database is locked",
    "database or disk is full",
)
_LITTLE_BYTES: Final = 1_000_000
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


def is_wrong_address(error: SQLAlchemyError) -> bool:
    """Whether no waiting helps: there is no such database, or it does not let us in."""
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return not str(original).startswith("database is locked")
    code = original.args[0] if original is not None and original.args else None
    return code in _MARIADB_WRONG or bool(_PG_WRONG.search(str(original)))


# No such database, no such account, not for this account.
_MARIADB_WRONG: Final = (1044, 1045, 1049, 1698)
_PG_WRONG: Final = re.compile(
    r"FATAL: .*(does not exist|authentication failed|no pg_hba\.conf entry|permission denied)"
    r"|no password supplied"
)

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
    if engine.url.database and not engine.url.database.startswith((":memory:", "file:")):
        _File(Path(engine.url.database).absolute()).watch(engine)
        event.listen(engine, "handle_error", _explain)
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _lock_to_write)


class _File:
    """SQLite's file, told from another that took its place, and never made anew once it was there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._was_there = False

    def watch(self, engine: Engine) -> None:
        """Give up connections to a file that is no longer the one by that name."""
        event.listen(engine, "do_connect", self._before_opening)
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "checkout", self._asked_for)

    def _before_opening(self, *_: object) -> None:
        if self._was_there and self._identity() is None:
            # SQLite would make an empty one, in the way of whoever restores a backup.
            raise sqlite3.OperationalError(f"the database file {self.path} is gone")

    def _opened(self, connection: object, record: ConnectionPoolEntry) -> None:
        del connection
        self._was_there = True
        record.info[_IDENTITY] = self._identity()

    def _asked_for(self, connection: object, record: ConnectionPoolEntry, proxy: object) -> None:
        del connection, proxy
        if record.info[_IDENTITY] != self._identity():
            raise InvalidatePoolError("another file has taken the database's place")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _explain(context: ExceptionContext) -> None:
    """Have SQLite name the file that it has trouble with, and say what anybody can see is wrong with it."""
    error, engine = context.original_exception, context.engine
    if engine is None or not engine.url.database or str(error) not in _OF_THE_FILE:
        return
    error.args = (f"{error}: {_state_of(Path(engine.url.database).absolute())}",)


def _state_of(path: Path) -> str:
    folder = path.parent
    if path.is_dir():
        return f"{path} is a folder"
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} cannot be written by this account"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} cannot be written by this account, and SQLite makes files in it"
    if shutil.disk_usage(folder).free < _LITTLE_BYTES:
        return f"no room is left on the disk of {path}"
    return str(path)


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
