"""Reading and adding to the postings: one statement each, written out.

Thousands of bound parameters cost more than the look-up itself. Nothing but whole numbers is
written into these statements.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from app.academic.similarity.models import HOLDERS_LENGTH, SimilarityPosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session

CHUNK: Final = 2_000
LONGEST: Final = HOLDERS_LENGTH - 20  # room for one more number and its comma
TABLE: Final = SimilarityPosting.__tablename__

Postings = dict[int, tuple[int, str]]
"""Fingerprint to how many authors have it, and which submissions had it first: `,3,17,`."""


def chunks(values: Iterable[int], size: int = CHUNK) -> Iterator[list[int]]:
    """Cut values into lists short enough for one statement."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def read(session: Session, assignment_id: int, hashes: Iterable[int]) -> Postings:
    """How many authors have each of these fingerprints, and which submissions had it first."""
    found: Postings = {}
    for chunk in chunks(hashes):
        rows = session.connection().exec_driver_sql(select_statement(assignment_id, chunk)).fetchall()
        for value, count, holders in rows:
            found[value] = (count, holders)
    return found


def select_statement(assignment_id: int, hashes: Iterable[int]) -> str:
    """The look-up, as the database sees it."""
    return f"SELECT hash, author_count, holders FROM {TABLE} WHERE {among(assignment_id, hashes)}"  # noqa: S608 - numbers


def among(assignment_id: int, hashes: Iterable[int]) -> str:
    """The condition that names some fingerprints of an assignment."""
    return f"assignment_id = {int(assignment_id)} AND hash IN ({','.join(map(str, map(int, hashes)))})"


def add(session: Session, assignment_id: int, submission_id: int, hashes: Iterable[int]) -> None:
    """Count one more author for each fingerprint; the first ones are remembered by their submission."""
    connection = session.connection()
    for chunk in chunks(sorted(hashes)):
        connection.exec_driver_sql(
            _upsert(connection.dialect.name, int(assignment_id), int(submission_id), chunk)
        )


def replace_holder(
    session: Session, assignment_id: int, hashes: Iterable[int], submission_id: int, *, by: int | None
) -> None:
    """Let another submission of the author stand for one that goes; without one the author is gone too."""
    connection = session.connection()
    holder = f",{int(by)}," if by is not None else ","
    fewer = 0 if by is not None else 1
    for chunk in chunks(sorted(hashes)):
        where = among(assignment_id, chunk)
        connection.exec_driver_sql(
            f"UPDATE {TABLE} SET author_count = author_count - {fewer}, "  # noqa: S608 - numbers
            f"holders = REPLACE(holders, ',{int(submission_id)},', '{holder}') WHERE {where}"
        )
        connection.exec_driver_sql(f"DELETE FROM {TABLE} WHERE {where} AND author_count <= 0")  # noqa: S608 - numbers


def _upsert(dialect: str, assignment_id: int, submission_id: int, hashes: list[int]) -> str:
    is_mysql = dialect in ("mysql", "mariadb")
    old = "" if is_mysql else f"{TABLE}."
    longer = f"CONCAT(holders, '{submission_id},')" if is_mysql else f"{old}holders || '{submission_id},'"
    on_conflict = "ON DUPLICATE KEY UPDATE" if is_mysql else "ON CONFLICT (assignment_id, hash) DO UPDATE SET"
    rows = ",".join(f"({assignment_id},{int(value)},1,',{submission_id},')" for value in hashes)
    return (
        f"INSERT INTO {TABLE} (assignment_id, hash, author_count, holders) VALUES {rows} {on_conflict} "  # noqa: S608 - numbers
        f"holders = CASE WHEN LENGTH({old}holders) <= {LONGEST} THEN {longer} ELSE {old}holders END, "
        f"author_count = {old}author_count + 1"
    )
