"""The laws of waking across machines: PostgreSQL tells every launcher, once what it tells is committed."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.runner import wake
from app.runner.api import run_background_job
from tests.runner_house import WORK, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    """Give a selector as a launcher sleeps on it."""
    with selectors.DefaultSelector() as made:
        yield made


@pytest.fixture
def listener(bench: Bench, selector: selectors.BaseSelector) -> Iterator[wake.Listener]:
    """Give a launcher's ear on the database."""
    made = wake.Listener(bench.bound.engine)
    made.attach(selector)
    quiet(selector, made)
    yield made
    made.close()


def is_postgresql(bench: Bench) -> bool:
    """Whether this database can wake anybody."""
    return bench.bound.engine.dialect.name == "postgresql"


def woken(selector: selectors.BaseSelector, listener: wake.Listener, seconds: float = 0) -> bool:
    """Whether something has come in, which is then taken."""
    found = [key for key, _ in selector.select(seconds) if key.data is listener]
    for _ in found:
        listener.drain(selector)
    return bool(found)


def quiet(selector: selectors.BaseSelector, listener: wake.Listener) -> None:
    """Take what is still on its way, such as what was told just before we listened."""
    for _ in range(3):
        woken(selector, listener, 0.05)


def test_who_enqueues_wakes_launchers_on_all_machines(
    bench: Bench, selector: selectors.BaseSelector, listener: wake.Listener
) -> None:
    """A commit wakes those that listen; before it, and at a rollback, nobody hears of it."""
    seconds = SECONDS if is_postgresql(bench) else 0
    with bench.read() as session:
        run_background_job(WORK, "handle", session=session)
        run_background_job(WORK, "handle", session=session, unique_key="report")
        session.rollback()
        run_background_job(WORK, "handle", session=session, unique_key="report")
        before = woken(selector, listener)
        session.commit()

    assert not before
    assert is_postgresql(bench) == woken(selector, listener, seconds)
    quiet(selector, listener)
    assert not woken(selector, listener)


def test_what_a_person_does_wakes_launchers_too(
    bench: Bench, selector: selectors.BaseSelector, listener: wake.Listener
) -> None:
    """The runner's own transactions wake, and those of the launcher's housekeeping do not."""
    with bench.bound.write(wakes=False) as session:
        session.execute(text("SELECT 1"))
    assert not woken(selector, listener)

    with bench.bound.write() as session:
        session.execute(text("SELECT 1"))

    assert is_postgresql(bench) == woken(selector, listener, SECONDS if is_postgresql(bench) else 0)


def test_an_ear_that_was_cut_off_listens_again(
    bench: Bench, selector: selectors.BaseSelector, listener: wake.Listener
) -> None:
    """A connection that is lost is noticed without an error, and made anew when asked for."""
    if not is_postgresql(bench):
        pytest.skip("only PostgreSQL wakes")
    with bench.read() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
        )
    # First the server's last word, then the end.
    for _ in range(3):
        woken(selector, listener, SECONDS if selector.get_map() else 0)
    assert {} == dict(selector.get_map())

    listener.attach(selector)
    bench.enqueue()

    assert woken(selector, listener, SECONDS)


def test_a_database_that_does_not_answer_leaves_polling(
    bench: Bench, selector: selectors.BaseSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no connection can be had the launcher goes on without, and hears nothing of it."""
    made = wake.Listener(bench.bound.engine)

    def refuse() -> None:
        raise OSError("nobody there")

    monkeypatch.setattr(bench.bound.engine, "raw_connection", refuse)
    made.attach(selector)

    assert {} == dict(selector.get_map())
    made.close()
