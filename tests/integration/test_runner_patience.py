"""How long a launcher that may leave stays without its database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from app.runner.dispatcher import STOPPED_SECONDS, UNWRITTEN_SECONDS, Dispatcher
from app.runner.errors import DatabaseGone
from tests.runner_house import Bench, end, made_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDLE = 2.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Give a runner."""
    engine = made_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    yield Bench(engine, tmp_path)
    engine.dispose()


def away(launcher: Dispatcher, seconds: float) -> None:
    """Have the database been away, and nothing else to do, for so long."""
    launcher._refused_at = launcher.book.idle_since = time.monotonic() - seconds


def test_without_work_it_stays_for_its_idle_time(bench: Bench) -> None:
    """Time without a database is time without work."""
    launcher = Dispatcher(bench.bound, idle_exit=IDLE)
    away(launcher, IDLE / 2)
    launcher._leave_if_gone()

    away(launcher, IDLE)
    with pytest.raises(DatabaseGone, match=r"away for 2 s"):
        launcher._leave_if_gone()


def test_what_is_unwritten_is_kept_for_longer(bench: Bench) -> None:
    """A restart of the database costs no end of a job, however short the idle time is."""
    launcher = Dispatcher(bench.bound, idle_exit=IDLE)
    launcher.book.finishes.append(end(1))
    away(launcher, UNWRITTEN_SECONDS / 2)
    launcher._leave_if_gone()

    away(launcher, UNWRITTEN_SECONDS)
    with pytest.raises(DatabaseGone):
        launcher._leave_if_gone()


def test_who_was_not_told_to_leave_stays(bench: Bench) -> None:
    """A launcher under a supervisor waits for as long as it takes."""
    launcher = Dispatcher(bench.bound)
    away(launcher, 10 * UNWRITTEN_SECONDS)

    launcher._leave_if_gone()


def test_who_was_told_to_stop_does_not_wait_for_ever(bench: Bench) -> None:
    """A launcher that is stopped while its database is away ends; what it could not write runs again."""
    launcher = Dispatcher(bench.bound)
    launcher.book.finishes.append(end(1))
    launcher.stop()
    away(launcher, STOPPED_SECONDS)
    launcher._leave_if_gone()

    launcher._leave_at = time.monotonic()
    with pytest.raises(DatabaseGone, match="told to stop"):
        launcher._leave_if_gone()
