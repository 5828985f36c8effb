"""Enqueueing without a transaction to join: one statement that SQLite commits, and that fails whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app.runner import binding, run_background_job
from app.runner.database import IMMEDIATE
from tests.runner_house import WORK, Bench, made_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Give the runner on a new file, where nobody waits long for a lock."""
    engine = made_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA busy_timeout = 10"))
    engine.dispose()
    made = Bench(engine, tmp_path)
    monkeypatch.setattr(binding, "_resolve", lambda: made.bound)
    yield made
    engine.dispose()


def test_a_lock_that_is_held_too_long_is_told_as_elsewhere(bench: Bench) -> None:
    """The caller gets SQLAlchemy's error, no job is left, and the next one is stored."""
    with bench.bound.engine.connect() as other:
        other.execution_options(**{IMMEDIATE: True}).exec_driver_sql("SELECT 1")
        with pytest.raises(OperationalError, match="database is locked"):
            run_background_job(WORK, "handle")

    assert {} == bench.snapshot()
    assert "pending" == bench.job(run_background_job(WORK, "handle").id).status


def test_the_connection_goes_back_to_the_pool(bench: Bench) -> None:
    """However many jobs are enqueued, and refused by the database, connections do not run out."""
    with bench.bound.engine.connect() as other:
        other.execution_options(**{IMMEDIATE: True}).exec_driver_sql("SELECT 1")
        for _ in range(20):
            with pytest.raises(OperationalError):
                run_background_job(WORK, "handle")
    for _ in range(20):
        run_background_job(WORK, "handle")

    assert 0 == bench.bound.engine.pool.checkedout()  # type: ignore[attr-defined]
    assert 20 == len(bench.snapshot())
