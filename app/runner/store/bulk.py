"""Many rows in one statement, handed over as one JSON text: the quickest way into SQLite and PostgreSQL.

A statement run once for each row costs a short job more than its handler does. Elsewhere, and on a
SQLite without JSON, the statements of `app.runner.store.statements` do the same row by row.
"""

from __future__ import annotations

import json
import sqlite3
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import JSON, Text, bindparam, cast, func, insert, literal_column, select, update

from app.runner.store.statements import ATTEMPTS, JOBS, completed, measured, taken

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Insert, Subquery, Update
    from sqlalchemy.orm import Session

# From here on JSON is part of every SQLite.
_SQLITE_WITH_JSON: Final = (3, 38)

_MEASURED: Final = (
    "finished_at",
    "exit_code",
    "cpu_seconds",
    "peak_memory_bytes",
    "log_bytes",
    "pid",
    "process_started",
)


class Bulk(NamedTuple):
    """What can be done to many rows at once; each statement takes them as `rows`, see `packed`."""

    take: Update
    begin: Insert
    complete: Update
    measure: Update


def of(session: Session) -> Bulk | None:
    """Give the statements of a session's database; None where it wants to be asked for each row."""
    dialect = session.get_bind().dialect.name
    if dialect == "sqlite" and sqlite3.sqlite_version_info < _SQLITE_WITH_JSON:
        return None
    return _bulk(dialect) if dialect in {"sqlite", "postgresql"} else None


def packed(rows: Iterable[Sequence[Any]]) -> str:
    """Give rows as the statements take them."""
    return json.dumps(list(rows), ensure_ascii=False)


@lru_cache(maxsize=8)
def stored(moment: dt.datetime) -> str:
    """Give a moment (UTC) as it stands in a row."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


@cache
def _bulk(dialect: str) -> Bulk:
    """Make the statements once."""
    begun = _rows(dialect, job_id=JOBS.c.id, number=ATTEMPTS.c.number)
    ended = _rows(
        dialect, job_id=JOBS.c.id, number=JOBS.c.attempt, result=JOBS.c.result, at=JOBS.c.finished_at
    )
    metered = _rows(
        dialect, job_id=JOBS.c.id, number=ATTEMPTS.c.number, **{name: ATTEMPTS.c[name] for name in _MEASURED}
    )
    return Bulk(
        take=update(JOBS)
        .where(JOBS.c.id.in_(select(begun.c.job_id)), _is("pending"))
        .values(taken(bindparam("by"), bindparam("now", type_=JOBS.c.started_at.type))),
        begin=insert(ATTEMPTS).from_select(*_begun(begun)),
        complete=update(JOBS)
        .where(JOBS.c.id == ended.c.job_id, JOBS.c.attempt == ended.c.number, _is("running"))
        .values(completed(ended.c.result, ended.c.at)),
        measure=update(ATTEMPTS)
        .where(ATTEMPTS.c.job_id == metered.c.job_id, ATTEMPTS.c.number == metered.c.number)
        .values(measured(*(metered.c[name] for name in _MEASURED))),
    )


def _begun(rows: Subquery) -> tuple[list[str], Any]:
    values = {
        "job_id": rows.c.job_id,
        "number": rows.c.number,
        "launcher_id": bindparam("by", type_=ATTEMPTS.c.launcher_id.type),
        "host": bindparam("host", type_=ATTEMPTS.c.host.type),
        "started_at": bindparam("now", type_=ATTEMPTS.c.started_at.type),
        "outcome": literal_column("'running'"),
        "log_bytes": literal_column("0"),
    }
    return list(values), select(*values.values())


def _is(status: str) -> ColumnElement[bool]:
    # Not as an index knows it: the rows are to be found by their numbers.
    return func.coalesce(JOBS.c.status, "") == status


def _rows(dialect: str, **columns: ColumnElement[Any]) -> Subquery:
    """Read the JSON text as a table whose columns are of the types of these."""
    if dialect == "sqlite":
        given = func.json_each(bindparam("rows", type_=Text)).table_valued("value")
    else:
        text = cast(bindparam("rows", type_=Text), JSON)
        given = func.json_array_elements(text).table_valued("value").render_derived(name="given")
    fields = []
    for place, (name, like) in enumerate(columns.items()):
        field: ColumnElement[Any] = given.c.value.op("->>")(literal_column(str(place)))
        fields.append((field if dialect == "sqlite" else cast(field, like.type)).label(name))
    return select(*fields).subquery("given_rows")
