"""The databases that the laws hold on: another engine is added here, and nowhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from app.runner import binding
from app.runner.models import metadata
from tests.databases import KINDS, new_database
from tests.runner_house import Bench, made_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

DATABASES = ("sqlite", *KINDS)


@contextmanager
def database(name: str, factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of an empty database; skip where its server is not installed."""
    if name == "sqlite":
        yield f"sqlite:///{factory.mktemp(name) / 'jobs.db'}"
        return
    if not KINDS[name].is_installed():
        pytest.skip(f"{KINDS[name].program} is not installed")
    with new_database(KINDS[name]) as url:
        yield url


def with_tables(url: str) -> Engine:
    """Open a database and make every table of the runner."""
    engine = made_engine(url)
    own = [table for name, table in metadata.tables.items() if name.startswith("background_job")]
    metadata.create_all(engine, tables=own)
    return engine


@pytest.fixture(scope="session", params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Make the tables once for each database."""
    with database(request.param, tmp_path_factory) as url:
        made = with_tables(url)
        yield made
        made.dispose()


@pytest.fixture
def bench(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give the runner on an empty database."""
    made = Bench(engine, tmp_path)
    monkeypatch.setattr(binding, "_resolve", lambda: made.bound)
    made.clear()
    return made
