"""The law of migrations: every database can go forward, all the way back, and forward again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from app import create_app
from app.db import db
from tests.contract.conftest import DATABASES, database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

MIGRATIONS = str(Path(__file__).parents[2] / "migrations")


@pytest.fixture(params=DATABASES)
def application(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """Give the site on a database that is still empty."""
    with database(request.param, tmp_path_factory) as url:
        made = create_app(
            {
                "TESTING": True,
                "INSTANCE_PATH": str(tmp_path / "instance"),
                "LOG_DIR": str(tmp_path / "logs"),
                "SQLALCHEMY_DATABASE_URI": url,
            }
        )
        with made.app_context():
            yield made
            db.engine.dispose()


def test_every_revision_goes_up_down_and_up_again(application: Flask) -> None:
    """An operator can go back one revision at a time until nothing is left, and forward again."""
    upgrade(MIGRATIONS)
    before = shape()

    for _ in ScriptDirectory(MIGRATIONS).walk_revisions():
        downgrade(MIGRATIONS, "-1")
    assert ["alembic_version"] == inspect(db.engine).get_table_names()

    upgrade(MIGRATIONS)
    assert before == shape()


def test_jobs_keep_their_place_when_they_get_a_lane(application: Flask) -> None:
    """Who waits when the lanes come stands in that of its priority; who was sent ahead, before them all."""
    upgrade(MIGRATIONS, "0001")
    with db.engine.begin() as connection:
        for priority, rank in ((1, 5), (3, 5), (3, -5)):
            connection.execute(INSERT, {"priority": priority, "place": rank})

    upgrade(MIGRATIONS, "0002")

    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT lane FROM background_jobs ORDER BY id")).scalars().all()
    assert [1, 3, 0] == found


def shape() -> dict[str, list[str]]:
    """Give the columns and indexes of every table."""
    inspector = inspect(db.engine)
    return {
        table: sorted(
            str(each["name"]) for each in (*inspector.get_columns(table), *inspector.get_indexes(table))
        )
        for table in inspector.get_table_names()
    }


INSERT = text(
    "INSERT INTO background_jobs (class_name, method, parameters, priority, status, rank, run_at, is_held,"
    " waits_for, attempt, attempts_used, max_attempts, crashes, created_at) VALUES ('a.B', 'handle', '[]',"
    " :priority, 'pending', :place, '2026-01-01', false, 0, 0, 0, 1, 0, '2026-01-01')"
)
