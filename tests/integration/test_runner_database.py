"""The engine as the runner needs it: durable, patient, and honest about transactions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from app.runner.database import IMMEDIATE, configure

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

    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))

    assert ["BEGIN", "SELECT 1"] == begun


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
