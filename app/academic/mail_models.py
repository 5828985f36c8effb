"""What people were told by mail, so that they are told again only when it has changed."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations at run time

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime


class ToldGrade(Base):
    """What the student was last told that grading of a submission came to."""

    __tablename__ = "told_grades"

    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
    )
    # Counts what was told: with it a mail of a changed grade is another mail.
    version: Mapped[int] = mapped_column(Integer)
    said: Mapped[str] = mapped_column(String(200))
    told_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class ToldFailure(Base):
    """A grading job that failed for good, at this attempt, and of which staff know."""

    __tablename__ = "told_failures"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("background_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    told_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
