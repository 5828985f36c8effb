"""The engine as the runner needs it: durable, patient, and honest about transactions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from app.runner.database import IMMEDIATE, SNAPSHOT, configure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Give an engine on a new file."""
    made = create_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    configure(made)
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("name", "value"),
    [("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 30_000)],
)
def test_every_connection_is_durable_and_patient(engine: Engine, name: str, value: object) -> None:
    """What was acknowledged survives power loss (FULL); writers wait; history needs its job."""
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert value == connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_an_engine_is_configured_once(engine: Engine) -> None:
    """A host and the runner may both ask for it."""
    begun: list[str] = []
    configure(engine)
    event.listen(engine, "before_cursor_execute", lambda *arguments: begun.append(arguments[2]))

    with engine.connect() as connection:
        connection.execution_options(**{SNAPSHOT: True}).execute(text("SELECT 1"))

    assert ["BEGIN", "SELECT 1"] == begun


def counting(engine: Engine) -> None:
    """Make the counter, at 0."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))


WRITES = [
    "UPDATE counter SET n = n + 1",
    "-- a word before\nUPDATE counter SET n = n + 1",
    "WITH one AS (SELECT 1 AS n) UPDATE counter SET n = n + (SELECT n FROM one)",
    "SAVEPOINT inner_one",
]


@pytest.mark.parametrize("write", WRITES)
def test_who_has_read_may_still_write(engine: Engine, write: str) -> None:
    """A request that reads before it enqueues is not refused because a launcher wrote in between."""
    counting(engine)
    with engine.connect() as request, engine.connect() as launcher:
        assert 0 == request.execute(text("SELECT n FROM counter")).scalar_one()
        launcher.execute(text("UPDATE counter SET n = 10"))
        launcher.commit()

        request.execute(text(write))
        request.execute(text("INSERT INTO counter VALUES (20)"))
        request.rollback()

        assert [10] == list(request.execute(text("SELECT n FROM counter")).scalars())


@pytest.mark.parametrize(
    "read",
    ["SELECT n FROM counter", "WITH one AS (SELECT n FROM counter) SELECT n FROM one", "PRAGMA user_version"],
)
def test_who_only_reads_locks_nobody_out(engine: Engine, read: str) -> None:
    """A transaction that has not written holds no lock, whatever it reads and however long."""
    counting(engine)
    with engine.connect() as reader, engine.connect() as writer:
        writer.exec_driver_sql("PRAGMA busy_timeout = 10")
        reader.execute(text(read))

        writer.execute(text("UPDATE counter SET n = 1"))
        writer.commit()


def test_a_snapshot_stays_as_it_is(engine: Engine) -> None:
    """Numbers that stand on one page were true at one moment."""
    counting(engine)
    with engine.connect() as reader, engine.connect() as writer:
        reader.execution_options(**{SNAPSHOT: True})
        assert 0 == reader.execute(text("SELECT n FROM counter")).scalar_one()
        writer.execute(text("UPDATE counter SET n = 1"))
        writer.commit()

        assert 0 == reader.execute(text("SELECT n FROM counter")).scalar_one()


def test_a_writing_transaction_takes_the_lock_at_its_beginning(engine: Engine) -> None:
    """Two that read and then write do not deadlock: the second waits until the first is through."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(10):
            with engine.connect() as connection:
                writing = connection.execution_options(**{IMMEDIATE: True})
                number = writing.execute(text("SELECT n FROM counter")).scalar_one()
                writing.execute(text("UPDATE counter SET n = :n"), {"n": number + 1})
                writing.commit()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)

    with engine.connect() as connection:
        assert 40 == connection.execute(text("SELECT n FROM counter")).scalar_one()


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    """The dashboard reads what is committed while a launcher writes."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))

    with engine.connect() as writer, engine.connect() as reader:
        writer.execution_options(**{IMMEDIATE: True}).execute(text("INSERT INTO counter VALUES (1)"))
        assert 0 == reader.execute(text("SELECT count(*) FROM counter")).scalar_one()
        reader.rollback()
        writer.commit()
        assert 1 == reader.execute(text("SELECT count(*) FROM counter")).scalar_one()


def test_a_writer_that_waited_too_long_hears_of_it(engine: Engine) -> None:
    """Waiting has a bound, after which the caller gets an error and not silence."""
    with engine.connect() as first, engine.connect() as second:
        first.execution_options(**{IMMEDIATE: True}).execute(text("SELECT 1"))
        second.exec_driver_sql("PRAGMA busy_timeout = 10")
        second.rollback()
        with pytest.raises(OperationalError, match="database is locked"):
            second.execution_options(**{IMMEDIATE: True}).execute(text("SELECT 1"))
