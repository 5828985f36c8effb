"""The tables of the course site.

Times are UTC and aware. An assignment's folder and a student's files are kept in the database,
so that every machine that runs jobs has them.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship

from app.accounts.models import User  # noqa: TC001 - as above
from app.db import Base, BigId, UtcDateTime

# What follows a submission, in the order people read it.
JOB_KINDS: Final = ("grading", "notification", "analytics", "similarity")

# MariaDB gives TEXT and BLOB 64 KiB unless told otherwise.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
LongBytes = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def _cascade(target: str) -> ForeignKey:
    return ForeignKey(target, ondelete="CASCADE")


class Course(Base):
    """A course and who teaches it."""

    __tablename__ = "courses"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(120), unique=True)
    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    # Whether a mail's subject may say the score: subjects are seen on locked screens.
    is_score_in_subject: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    instructor: Mapped[User] = relationship()
    assignments: Mapped[list[Assignment]] = relationship(
        back_populates="course", order_by="Assignment.due_at, Assignment.id"
    )


class Enrollment(Base):
    """A student takes a course."""

    __tablename__ = "enrollments"

    course_id: Mapped[int] = mapped_column(_cascade("courses.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(_cascade("users.id"), primary_key=True, index=True)
    enrolled_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    course: Mapped[Course] = relationship()
    student: Mapped[User] = relationship()


class Assignment(Base):
    """A piece of work that is asked for; its folder is kept as `files`."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("course_id", "slug"),
        CheckConstraint("points > 0", name="points"),
        CheckConstraint("max_bytes > 0", name="max_bytes"),
        CheckConstraint("late_percent >= 0 AND late_percent <= 100", name="late_percent"),
        CheckConstraint("counts IN ('last', 'best', 'chosen')", name="counts"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    course_id: Mapped[int] = mapped_column(_cascade("courses.id"))
    slug: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    # Plain text; pages keep its line breaks and nothing else.
    description: Mapped[str] = mapped_column(LongText, default="")
    points: Mapped[float] = mapped_column(Float, default=100.0)
    max_bytes: Mapped[int] = mapped_column(Integer)
    # The name under which the tests import the work.
    submit_name: Mapped[str] = mapped_column(String(100), default="solution.py")
    # The names of all files that are handed in, one in each line; empty: only submit_name.
    submit_files: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    # How work is compared: code, text or none; and the score at which a person is asked to look.
    similarity_kind: Mapped[str] = mapped_column(String(5), default="code")
    flag_at: Mapped[float] = mapped_column(Float, default=50.0)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # Nothing is taken any more from then on; without it late work is always taken.
    late_due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # What late work loses: so many per cent for each hour or day that has begun, or once.
    late_per: Mapped[str] = mapped_column(String(4), default="day", server_default="day")
    late_percent: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    grace_seconds: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # How often a student may hand in: in all, and within a window of time.
    attempts_max: Mapped[int | None] = mapped_column(Integer)
    window_seconds: Mapped[int | None] = mapped_column(Integer)
    window_max: Mapped[int | None] = mapped_column(Integer)
    # Which attempt is the student's grade: the last, the best, or the one the student chose.
    counts: Mapped[str] = mapped_column(String(6), default="last", server_default="last")
    # The version of the folder that is graded with; students see nothing before it is published.
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    is_published: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    # The text of assignment.yaml, for people; the files are what is graded with.
    manifest: Mapped[str] = mapped_column(LongText, default="")
    # While this is set nothing is graded; `pausing` sets all three together, and clears them.
    grading_paused_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # Who paused it: a person's address, or "alarm".
    grading_paused_by: Mapped[str | None] = mapped_column(String(254))
    grading_pause_reason: Mapped[str | None] = mapped_column(String(500))
    # From this moment on students see what tests kept from them.
    results_released_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    course: Mapped[Course] = relationship(back_populates="assignments")
    # Those of the version that is graded with.
    files: Mapped[list[AssignmentFile]] = relationship(
        primaryjoin="and_(Assignment.id == foreign(AssignmentFile.assignment_id), "
        "Assignment.version == foreign(AssignmentFile.version))",
        order_by="AssignmentFile.path",
        viewonly=True,
    )

    @property
    def submit_names(self) -> list[str]:
        """The names of the files that are handed in."""
        return self.submit_files.splitlines() or [self.submit_name]

    @property
    def has_tests_beside(self) -> bool:
        """Whether tests run in the weaker mode, beside the student's code."""
        lines = [line.partition("#")[0] for line in self.manifest.splitlines()]
        return any("mode:" in line and "same-process" in line for line in lines)


class AssignmentVersion(Base):
    """One import of an assignment's folder; grades say with which one they were made."""

    __tablename__ = "assignment_versions"

    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # The file or folder it came from, as text for people.
    source: Mapped[str] = mapped_column(String(255), default="")
    imported_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    imported_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # What grading the samples came to, as JSON; NULL before it was tried. Not a foreign key: jobs are pruned.
    check_report: Mapped[str | None] = mapped_column(LongText)
    check_job_id: Mapped[int | None] = mapped_column(Integer)
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class Extension(Base):
    """One student's own deadline for an assignment, or more attempts, given by staff."""

    __tablename__ = "assignment_extensions"
    __table_args__ = (CheckConstraint("extra_attempts >= 0", name="extra_attempts"),)

    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"), primary_key=True)
    student_id: Mapped[int] = mapped_column(_cascade("users.id"), primary_key=True, index=True)
    # NULL leaves the assignment's own.
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    late_due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    extra_attempts: Mapped[int] = mapped_column(Integer, default=0)
    # Read by the student and by staff.
    reason: Mapped[str] = mapped_column(String(500), default="")
    granted_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    student: Mapped[User] = relationship(foreign_keys=[student_id])


class AssignmentFile(Base):
    """One file of one version of an assignment's folder, by its path inside it."""

    __tablename__ = "assignment_files"
    __table_args__ = (UniqueConstraint("assignment_id", "version", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"))
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    path: Mapped[str] = mapped_column(String(255))
    content: Mapped[bytes] = mapped_column(LongBytes)
    # Students may read it, and the similarity check leaves it out: it is what everybody starts from.
    is_given: Mapped[bool] = mapped_column(Boolean, default=False)


class Submission(Base):
    """One attempt of a student at an assignment, as it was received."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("assignment_id", "student_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        # The throttle and a student's history read by student and time.
        Index("ix_submissions_student_newest", "student_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(_cascade("assignments.id"))
    student_id: Mapped[int] = mapped_column(_cascade("users.id"))
    # Counts the student's attempts at this assignment, from 1.
    number: Mapped[int] = mapped_column(Integer)
    # Random: it names the submission in addresses and mails.
    receipt: Mapped[str] = mapped_column(String(32), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    is_late: Mapped[bool] = mapped_column(Boolean, default=False)
    # The student's own choice, where that is what counts.
    is_chosen: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # A newer attempt came before this one was graded.
    superseded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    # The earlier attempt with the same bytes, whose result it shares; it spends no attempt.
    same_as_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    assignment: Mapped[Assignment] = relationship()
    student: Mapped[User] = relationship()
    files: Mapped[list[SubmissionFile]] = relationship(
        order_by="SubmissionFile.id", cascade="all, delete-orphan", passive_deletes=True
    )
    grade: Mapped[Grade | None] = relationship(passive_deletes=True)

    @property
    def is_due(self) -> bool:
        """Whether this student can hand in no more on time: what waits for the deadline may be shown."""
        session = object_session(self)
        key = (self.assignment_id, self.student_id)
        own = session.get(Extension, key) if session is not None else None
        due_at = (own and own.due_at) or self.assignment.due_at
        late_due_at = (own and own.late_due_at) or self.assignment.late_due_at
        return due_at is not None and dt.datetime.now(dt.UTC) >= max(due_at, late_due_at or due_at)

    @property
    def is_released(self) -> bool:
        """Whether a person has released what the tests kept back."""
        return self.assignment.results_released_at is not None

    @property
    def is_score_shown(self) -> bool:
        """Whether the student may see the total: a test that is still hidden would show through it."""
        if self.grade is None or self.grade.hides == "nothing" or self.is_released:
            return True
        return self.grade.hides == "until_due" and self.is_due


class SubmissionFile(Base):
    """A file as the student sent it; the name is text and never a path."""

    __tablename__ = "submission_files"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    # The name it is graded under; NULL: the assignment's only one.
    submit_as: Mapped[str | None] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LongBytes)
    sha256: Mapped[str] = mapped_column(String(64))


class SubmissionJob(Base):
    """A background job that follows a submission; a regrade adds another of its kind."""

    __tablename__ = "submission_jobs"
    __table_args__ = (CheckConstraint(f"kind IN {JOB_KINDS}", name="kind"),)

    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    job_id: Mapped[int] = mapped_column(_cascade("background_jobs.id"), primary_key=True, index=True)


class Grade(Base):
    """What grading came to: the one current row of a submission, replaced by every regrade."""

    __tablename__ = "grades"

    submission_id: Mapped[int] = mapped_column(_cascade("submissions.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str] = mapped_column(String(40))
    # NULL when the work could not be graded: that is not a zero.
    score: Mapped[float | None] = mapped_column(Float)
    points: Mapped[float] = mapped_column(Float)
    # As the tests count, before scaling; and scaled, before what late work loses.
    raw_score: Mapped[float | None] = mapped_column(Float)
    raw_points: Mapped[float | None] = mapped_column(Float)
    full_score: Mapped[float | None] = mapped_column(Float)
    late_percent: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    # The version of the assignment it was graded with; NULL: before there were versions.
    version: Mapped[int | None] = mapped_column(Integer)
    # What tests keep from the student: nothing, something until_due, something for good (always).
    hides: Mapped[str] = mapped_column(String(9), default="nothing")
    # JSON text of the whole grade report.
    report: Mapped[str] = mapped_column(LongText)
    graded_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # Not a foreign key: the grade outlives the job that made it.
    job_id: Mapped[int | None] = mapped_column(Integer)
    attempt: Mapped[int | None] = mapped_column(Integer)


class CourseSnapshot(Base):
    """A course in numbers, as the analytics job last computed them."""

    __tablename__ = "course_snapshots"

    course_id: Mapped[int] = mapped_column(_cascade("courses.id"), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    mean: Mapped[float | None] = mapped_column(Float)
    median: Mapped[float | None] = mapped_column(Float)
    # JSON text: the histogram and every assignment's numbers.
    report: Mapped[str] = mapped_column(LongText)
    computed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
