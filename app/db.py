"""The site's database: one metadata for the runner's tables and the site's own.

A submission and its jobs share a transaction because they share a session.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase

from app.runner.models import BigId, UtcDateTime, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

__all__ = ["Base", "BigId", "UtcDateTime", "db", "writing"]


class Base(DeclarativeBase):
    """Base of the site's own models."""

    metadata = metadata


db = SQLAlchemy(metadata=metadata)


@contextmanager
def writing() -> Iterator[Session]:
    """Open the one transaction in which a request or a job writes; it commits at the end.

    What was only read before is let go first and read again inside, so that on SQLite the
    write lock is waited for at the beginning and never refused half way ("database is locked").
    Keep slow work (hashing, grading, mail) out of it.
    """
    session = db.session()
    session.rollback()
    session.connection(execution_options={"runner_immediate": True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
