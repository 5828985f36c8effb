"""The database that migrations make is the one that the models describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, inspect

from app import create_app
from app.db import db

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from sqlalchemy.engine.interfaces import ReflectedCheckConstraint

TOP = Path(__file__).parents[2]
MIGRATIONS = str(TOP / "migrations")


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Flask]:
    """Give the site on a database that is still empty."""
    made = create_app(
        {
            "TESTING": True,
            "INSTANCE_PATH": str(tmp_path / "instance"),
            "LOG_DIR": str(tmp_path / "logs"),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'migrated.db'}",
        }
    )
    with made.app_context():
        yield made
        db.engine.dispose()


def revisions() -> list[str]:
    """Give all revisions, newest first."""
    return [each.revision for each in ScriptDirectory(MIGRATIONS).walk_revisions()]


def checks(inspector: Any) -> dict[str, list[ReflectedCheckConstraint]]:
    """Give the CHECK constraints of every table, which Alembic does not compare."""
    return {
        table: sorted(inspector.get_check_constraints(table), key=lambda each: str(each["name"]))
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_there_is_one_head() -> None:
    """Two developers' revisions are put in order before they are delivered."""
    assert 1 == len(ScriptDirectory(MIGRATIONS).get_heads())


def test_the_head_equals_the_models(application: Flask) -> None:
    """A database made by the revisions is one that the models would have made."""
    upgrade(MIGRATIONS)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [] == compare_metadata(context, db.metadata)


def test_the_head_has_the_checks_of_the_models(application: Flask) -> None:
    """What the database refuses by the models, it refuses after the revisions too."""
    upgrade(MIGRATIONS)
    memory = create_engine("sqlite://")
    db.metadata.create_all(memory)
    assert checks(inspect(memory)) == checks(inspect(db.engine))
    memory.dispose()


def test_every_revision_goes_down_and_up_again(application: Flask) -> None:
    """An operator can go back, one revision at a time, until nothing is left, and forward again."""
    upgrade(MIGRATIONS)
    for _ in revisions():
        downgrade(MIGRATIONS, "-1")
    assert ["alembic_version"] == inspect(db.engine).get_table_names()
    upgrade(MIGRATIONS)
    assert "background_jobs" in inspect(db.engine).get_table_names()
