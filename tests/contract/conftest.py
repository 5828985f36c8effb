"""The databases that the laws hold on: another engine is added here, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.runner import binding
from tests.runner_house import Bench, made_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

# Gives the URL of an empty database.
DATABASES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'jobs.db'}",
}


@pytest.fixture(scope="session", params=sorted(DATABASES))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Make the tables once for each database."""
    made = made_engine(DATABASES[request.param](tmp_path_factory.mktemp(request.param)))
    yield made
    made.dispose()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give the runner on an empty database."""
    made = Bench(engine, tmp_path)
    monkeypatch.setattr(binding, "_resolve", lambda: made.bound)
    made.clear()
    return made
