"""What watches over the site asks one address, and is told no more than it must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.runner import binding
from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An application whose guard lets nobody in."""
    made = House(tmp_path)
    made.is_open = False
    yield made
    made.close()


def test_it_is_ok_when_the_database_answers_and_a_launcher_is_alive(house: House) -> None:
    """One word, for everybody, never from a cache; the dashboard beside it stays guarded."""
    house.launcher()

    answer = house.client.get("/healthz")

    assert (200, "ok", "text/plain") == (answer.status_code, answer.text, answer.mimetype)
    assert "no-store" == answer.headers["Cache-Control"]
    assert 403 == house.client.get("/background-jobs").status_code


def test_without_a_living_launcher_it_says_so(house: House) -> None:
    """A site whose jobs do not run is not well; one that has fallen silent is no launcher."""
    house.launcher(silent_seconds=60)

    answer = house.client.get("/healthz")

    assert (503, "No launcher is alive, so no job runs.") == (answer.status_code, answer.text)


def test_without_its_database_it_says_so_and_nothing_else(house: House) -> None:
    """A database that fails makes 503 and a sentence; what it said stays in the log."""
    with house.application.app_context(), binding.current().write() as session:
        session.execute(text("DROP TABLE background_job_launchers"))

    answer = house.client.get("/healthz")

    assert 503 == answer.status_code
    assert "The database does not answer, or has no tables of the runner." == answer.text
