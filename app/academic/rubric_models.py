"""The tables of what people judge: a criterion of a submission, and the items that staff share."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations

from sqlalchemy import Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.academic.models import LongText
from app.db import Base, BigId, UtcDateTime


class RubricMark(Base):
    """What a person found in a submission under one criterion of a part, replaced when it is judged again."""

    __tablename__ = "rubric_marks"

    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
    )
    # The part's number in its report, from 0; the criterion by its name there.
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(String(80), primary_key=True)
    points: Mapped[float] = mapped_column(Float)
    # What was chosen, as JSON: [[-3, "no docstrings"], ...]; texts stay when the list changes.
    items: Mapped[str] = mapped_column(LongText)
    # A change of the person's own, beside the items.
    change: Mapped[float] = mapped_column(Float, default=0.0)
    comment: Mapped[str] = mapped_column(String(4000), default="")
    marked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    marked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class RubricItem(Base):
    """An item that somebody added while judging: offered for every submission of the assignment."""

    __tablename__ = "rubric_items"
    __table_args__ = (UniqueConstraint("assignment_id", "part", "criterion", "text"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignments.id", ondelete="CASCADE"))
    part: Mapped[int] = mapped_column(Integer)
    criterion: Mapped[str] = mapped_column(String(80))
    points: Mapped[float] = mapped_column(Float)
    text: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
