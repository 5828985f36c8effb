"""The tables behind instructors' pages: changed grades, regrades, statistics, whom to look after."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations when it maps
from typing import Final

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.academic.models import Assignment, LongText, Submission
from app.accounts.models import User  # noqa: TC001 - SQLAlchemy reads the annotations when it maps
from app.db import Base, BigId, UtcDateTime

REASON_LENGTH: Final = 500
REGRADE_STATES: Final = ("open", "published", "discarded")
CONCERN_STATES: Final = ("contacted", "resolved")


def _cascade(target: str) -> ForeignKey:
    return ForeignKey(target, ondelete="CASCADE")


def _person() -> ForeignKey:
    return ForeignKey("users.id", ondelete="SET NULL")


class GradeOverride(Base):
    """A student's score for an assignment as a person has set it; it counts instead of the tests'."""

    __tablename__ = "grade_overrides"
    __table_args__ = (CheckConstraint("score >= 0", name="score"),)

    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(_cascade("users.id"), primary_key=True, index=True)
    score: Mapped[float] = mapped_column(Float)
    # The student reads it.
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH))
    changed_by_id: Mapped[int | None] = mapped_column(_person())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    assignment: Mapped[Assignment] = relationship()
    student: Mapped[User] = relationship(foreign_keys=[student_id])


class WaitingGrading(Base):
    """A submission whose grading came while its assignment was paused; resuming enqueues it again."""

    __tablename__ = "waiting_gradings"

    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), primary_key=True)
    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"), index=True)
    # Also when a newer attempt has superseded it.
    is_forced: Mapped[bool] = mapped_column(default=False)
    since_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class GradingRun(Base):
    """How the newest grading of a submission went, for the alarm: by us or against us."""

    __tablename__ = "grading_runs"
    __table_args__ = (
        # The alarm reads the newest of an assignment.
        Index("ix_grading_runs_newest", "assignment_id", "ended_at"),
    )

    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), primary_key=True)
    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"))
    is_error: Mapped[bool] = mapped_column()
    ended_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Regrade(Base):
    """Grading once more, kept aside until a person publishes or discards it."""

    __tablename__ = "regrades"
    __table_args__ = (
        CheckConstraint(f"state IN {REGRADE_STATES}", name="state"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        Index("ix_regrades_assignment", "assignment_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    # Of all that was handed in for the assignment, or of one submission.
    is_whole: Mapped[bool] = mapped_column(default=True)
    requested_by_id: Mapped[int | None] = mapped_column(_person())
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(_person())
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    assignment: Mapped[Assignment] = relationship()
    requested_by: Mapped[User | None] = relationship(foreign_keys=[requested_by_id])
    results: Mapped[list[RegradeResult]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="RegradeResult.submission_id"
    )


class RegradeResult(Base):
    """What grading once more came to for one submission; empty until its job has run."""

    __tablename__ = "regrade_results"

    regrade_id: Mapped[int] = mapped_column(_cascade("regrades.id"), primary_key=True)
    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), primary_key=True, index=True)
    # Not a foreign key: the result outlives the job that made it.
    job_id: Mapped[int | None] = mapped_column(Integer)
    score: Mapped[float | None] = mapped_column(Float)
    points: Mapped[float | None] = mapped_column(Float)
    # JSON text of the whole grade report.
    report: Mapped[str | None] = mapped_column(LongText)
    # The version of the assignment it was graded with.
    version: Mapped[int | None] = mapped_column(Integer)
    # Why there is no report, in a sentence for staff.
    problem: Mapped[str | None] = mapped_column(Text)
    graded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # What the grade was replaced from, once published; NULL also when it was left as it is.
    old_score: Mapped[float | None] = mapped_column(Float)
    is_applied: Mapped[bool] = mapped_column(default=False)

    submission: Mapped[Submission] = relationship()


class AssignmentSnapshot(Base):
    """An assignment in numbers, as the analytics job last computed them."""

    __tablename__ = "assignment_snapshots"

    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # What the numbers were made of, in short: the same again needs no computing.
    basis: Mapped[str] = mapped_column(String(64))
    report: Mapped[str] = mapped_column(LongText)
    computed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class WatchRule(Base):
    """When a course's staff want to be told about a student; 0 switches a rule off."""

    __tablename__ = "watch_rules"

    course_id: Mapped[int] = mapped_column(_cascade("courses.id"), primary_key=True)
    missing: Mapped[int] = mapped_column(Integer, default=2)
    late: Mapped[int] = mapped_column(Integer, default=3)
    below_percent: Mapped[int] = mapped_column(Integer, default=50)
    drop_percent: Mapped[int] = mapped_column(Integer, default=20)


class Concern(Base):
    """What a person did about a student whom a rule named, and what the rule had found then."""

    __tablename__ = "concerns"
    __table_args__ = (CheckConstraint(f"state IN {CONCERN_STATES}", name="state"),)

    course_id: Mapped[int] = mapped_column(_cascade("courses.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(_cascade("users.id"), primary_key=True, index=True)
    rule: Mapped[str] = mapped_column(String(10), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    # When the rule finds more than this, the concern is open again.
    fact: Mapped[str] = mapped_column(String(500))
    note: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    decided_by_id: Mapped[int | None] = mapped_column(_person())
    decided_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
