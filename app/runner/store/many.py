"""Many new jobs that differ in nothing but their parameters: one statement for thousands of them.

The parameters travel as one JSON text, which each database takes apart by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, bindparam, column, insert, select, text

from app.runner.store.rows import TABLE, insert_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Insert
    from sqlalchemy.engine import Dialect

    from app.runner.store.rows import Row
    from app.runner.validator import Shown

# In one statement: servers limit how long one may be, and other writers wait for it.
_ROWS: Final = 5_000
_CHARACTERS: Final = 1_000_000

_SQLITE: Final = """
    SELECT key AS place, json_extract(value, '$[0]') AS parameters, json_extract(value, '$[1]') AS shown
    FROM json_each(:items)"""
_POSTGRESQL: Final = """
    SELECT place, value->>0 AS parameters, value->>1 AS shown
    FROM json_array_elements(CAST(:items AS json)) WITH ORDINALITY AS item (value, place)"""
_MARIADB: Final = """
    SELECT place, parameters, shown FROM JSON_TABLE(:items, '$[*]' COLUMNS (
        place FOR ORDINALITY, parameters MEDIUMTEXT PATH '$[0]', shown MEDIUMTEXT PATH '$[1]')) AS item"""
_TAKEN_APART: Final = {
    "sqlite": _SQLITE, "postgresql": _POSTGRESQL, "mariadb": _MARIADB, "mysql": _MARIADB,
}  # fmt: skip


def insert_rows(connection: Connection, row: Row, parameters: Sequence[Shown]) -> list[int]:
    """Store a job for each of the parameters, and give their numbers in that order."""
    if not _can_take_apart(connection.dialect):
        return [
            insert_row(connection, row | {"parameters": given, "shown_parameters": shown})
            for given, shown in parameters
        ]
    return [job_id for some in _chunks(parameters) for job_id in _insert(connection, row, some)]


def _can_take_apart(dialect: Dialect) -> bool:
    """Whether the database has a statement for it, and tells the numbers."""
    return dialect.name == "sqlite" or (dialect.name in _TAKEN_APART and dialect.insert_returning)


def _chunks(parameters: Sequence[Shown]) -> Iterator[Sequence[Shown]]:
    begin = characters = 0
    for place, (given, shown) in enumerate(parameters):
        characters += len(given) + len(shown or "")
        if place > begin and (characters > _CHARACTERS or place - begin == _ROWS):
            yield parameters[begin:place]
            begin, characters = place, len(given) + len(shown or "")
    if parameters:
        yield parameters[begin:]


def _insert(connection: Connection, row: Row, parameters: Sequence[Shown]) -> Sequence[int]:
    name = connection.dialect.name
    statement = _statement(name, row)
    items = {"items": json.dumps(parameters, ensure_ascii=False)}
    if name != "sqlite":
        # Numbers are given in the order in which rows are stored; in which order they are told is open.
        return sorted(connection.execute(statement.returning(TABLE.c.id), items).scalars())
    result: Any = connection.execute(statement, items)
    # SQLite has one writer, and AUTOINCREMENT counts on.
    last = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
    return range(last - result.rowcount + 1, last + 1)


def _statement(name: str, row: Row) -> Insert:
    alike = {key: value for key, value in row.items() if value is not None}
    alike.pop("parameters")
    alike.pop("shown_parameters", None)
    given = (
        text(_TAKEN_APART[name])
        .columns(column("place", Integer), column("parameters"), column("shown"))
        .subquery("given")
    )
    values = [bindparam(f"its_{key}", value, TABLE.c[key].type) for key, value in alike.items()]
    chosen = select(*values, given.c.parameters, given.c.shown).order_by(given.c.place)
    return insert(TABLE).from_select([*alike, "parameters", "shown_parameters"], chosen)
