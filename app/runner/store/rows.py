"""Rows of new jobs: what stands in one, how it gets into the table, and the `Job` that its caller holds.

A flush of the ORM costs several times what its INSERT does. So the statement is made once for each
database, and the object is made from what was inserted, in the state in which a flush would leave it.
"""

from __future__ import annotations

import datetime as dt
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import configure_mappers
from sqlalchemy.orm.attributes import instance_state, manager_of_class

from app.runner.backoff import attempts_allowed, rank_of
from app.runner.models import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.orm import Session

    from app.runner.settings import Settings
    from app.runner.validator import ValidJob

Row = dict[str, Any]

TABLE: Final = cast("Table", Job.__table__)
_MAPPER: Final = Job.__mapper__
_BY_MAPPER: Final = {"mapper": _MAPPER}
# Every column, so that nothing of a job that was just enqueued has to be read back.
_EMPTY: Final[Row] = {
    column.name: column.default.arg if column.default is not None else None  # type: ignore[attr-defined]
    for column in TABLE.columns
    if not column.primary_key
}


class _Insert(NamedTuple):
    """The statement of one database, and what makes a row its parameters."""

    text: str
    processors: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    is_positional: bool
    returns: bool

    def parameters(self, row: Row) -> tuple[Any, ...] | dict[str, Any]:
        """Give the values as the driver takes them."""
        values = [process(row[name]) if process else row[name] for name, process in self.processors]
        if self.is_positional:
            return tuple(values)
        return {name: value for (name, _), value in zip(self.processors, values, strict=True)}


def row_of(valid: ValidJob, settings: Settings, now: dt.datetime, created_by: str | None) -> Row:
    """Give every column of a new job but its number."""
    run_at = now + dt.timedelta(seconds=valid.delay)
    taken = None if valid.unique_seconds is None else now + dt.timedelta(seconds=valid.unique_seconds)
    return _EMPTY | {
        "class_name": valid.handler.class_name,
        "method": valid.handler.method,
        "parameters": valid.parameters,
        "shown_parameters": valid.shown_parameters,
        "priority": valid.priority,
        "status": "pending",
        "lane": valid.priority,
        "rank": rank_of(run_at, valid.priority, settings.ageing_seconds),
        "run_at": run_at,
        "max_attempts": attempts_allowed(valid.retries, valid.priority),
        "timeout_seconds": valid.timeout,
        "unique_key": valid.unique_key,
        "unique_slot": valid.unique_key,
        "unique_until": taken,
        "created_by": created_by,
        "created_at": now,
    }


def insert_row(connection: Connection, row: Row) -> int:
    """Store a job, and give its number."""
    made = _insert_of(_given(row), connection.dialect)
    result = connection.exec_driver_sql(made.text, made.parameters(row))
    return int(result.scalar_one() if made.returns else result.lastrowid)


def insert_alone(engine: Engine, row: Row) -> int:
    """Store a job in a transaction that is one statement, on SQLite, where such a one commits by itself."""
    made = _insert_of(_given(row), engine.dialect)
    values = made.parameters(row)
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(made.text, values)
        return int(cursor.lastrowid)
    except engine.dialect.loaded_dbapi.Error as error:
        raise _as_others(error, engine, made.text, values) from error
    finally:
        connection.close()


def connection_of(session: Session) -> Connection:
    """Give the connection on which a session's jobs are stored, after all that the session has to write."""
    session.flush()
    return session.connection(bind_arguments=_BY_MAPPER)


def job_of(row: Mapping[str, Any], job_id: int) -> Job:
    """Give the job that was inserted, detached from any session."""
    job = cast("Job", _manager().new_instance())
    job.__dict__.update(row, id=job_id)
    # Nothing of it is pending or expired: the key is all that it needs to be taken for one that was read.
    instance_state(job).key = _MAPPER.identity_key_from_primary_key((job_id,))
    return job


def kept(session: Session, row: Mapping[str, Any], job_id: int) -> Job:
    """Give the job that was inserted as the session's own, new in its transaction."""
    job = job_of(row, job_id)
    session.add(job)
    transaction = session.get_nested_transaction() or session.get_transaction()
    # As a flush notes it: a rollback makes the job one that was never stored.
    transaction._new[instance_state(job)] = True  # type: ignore[union-attr]  # noqa: SLF001 - no public way
    return job


def _given(row: Row) -> tuple[str, ...]:
    return tuple([name for name, value in row.items() if value is not None])


@cache
def _manager() -> Any:
    """Give what makes jobs without asking for each of their columns."""
    configure_mappers()
    return manager_of_class(Job)


@lru_cache(maxsize=256)
def _insert_of(names: tuple[str, ...], dialect: Dialect) -> _Insert:
    """Have SQLAlchemy write the statement once: at each execution it would take longer than the INSERT."""
    returns = not dialect.postfetch_lastrowid  # type: ignore[attr-defined]
    statement = insert(TABLE).values(dict.fromkeys(names))
    compiled = (statement.returning(TABLE.c.id) if returns else statement).compile(dialect=dialect)
    ordered = compiled.positiontup if dialect.positional else names
    processors = tuple((name, _processor(name, dialect)) for name in ordered or ())
    return _Insert(str(compiled), processors, bool(dialect.positional), returns)


def _as_others(error: Exception, engine: Engine, statement: str, values: Any) -> Exception:
    """Give an error of the driver as SQLAlchemy gives it."""
    return DBAPIError.instance(
        statement,
        values,
        error,
        engine.dialect.loaded_dbapi.Error,
        hide_parameters=engine.hide_parameters,
        dialect=engine.dialect,
    )


def _processor(name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    found: Callable[[Any], Any] | None = TABLE.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return found
