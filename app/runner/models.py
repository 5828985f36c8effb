"""The runner's tables: plain SQLAlchemy, usable without Flask.

Times are UTC and aware, durations are seconds, sizes are bytes. What may change is said
by `app.runner.store`; what must never be is refused here, by the database itself.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.engine.default import DefaultExecutionContext

STATUSES: Final = ("pending", "running", "completed", "failed", "cancelled")
FINAL_STATUSES: Final = ("completed", "failed", "cancelled")
# What a person has started goes first; a lane's jobs are claimed in the order of their times.
FIRST_LANE: Final = 0
LANES: Final = (FIRST_LANE, 1, 2, 3)
PRIORITIES: Final = {1: "high", 2: "medium", 3: "low"}

# What one attempt came to; `running` until it is known.
OUTCOMES: Final = (
    "running",
    "completed",
    "failed",
    "retrying",
    "cancelled",
    "timed_out",
    "crashed",
    "interrupted",
    "snoozed",
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware UTC time, on databases that keep only naive ones too."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> object:  # type: ignore[override]
        """Ask MariaDB for microseconds, which it leaves out by default."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Store UTC; a naive time is a mistake of the caller's."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"a naive time reached the database: {value!r}"
            raise ValueError(message)
        return (value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Give back what was stored, aware."""
        del dialect
        return None if value is None else value.replace(tzinfo=dt.UTC)


# SQLite counts rows by itself only for INTEGER PRIMARY KEY.
BigId = BigInteger().with_variant(Integer(), "sqlite")
# MariaDB's TEXT ends one byte short of the largest parameters.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Base(DeclarativeBase):
    """Base of the runner's models; hosts may put their own tables on the same `metadata`."""

    metadata = metadata


def _lane_of(context: DefaultExecutionContext) -> int:
    return int(context.get_current_parameters().get("priority") or 2)  # type: ignore[no-untyped-call]


_IS_TAKEN: Final = text("launcher_id IS NOT NULL")


class Job(Base):
    """One request to run one approved handler once; it outlives its attempts."""

    __tablename__ = "background_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint("priority IN (1, 2, 3)", name="priority"),
        CheckConstraint(f"(status IN {FINAL_STATUSES}) = (finished_at IS NOT NULL)", name="finished_at"),
        CheckConstraint("(status = 'running') = (launcher_id IS NOT NULL)", name="launcher_id"),
        CheckConstraint("attempts_used >= 0 AND max_attempts >= 1", name="attempts"),
        CheckConstraint("waits_for >= 0", name="waits_for"),
        # The claim reads the due jobs of each lane; the dashboard reads a status, newest first.
        # SQLite need not write to an index what it does not know; PostgreSQL would then read all of this one.
        Index(
            "ix_background_jobs_claim",
            *("status", "is_held", "waits_for", "lane", "run_at", "id"),
            sqlite_where=text("status = 'pending'"),
        ),
        Index("ix_background_jobs_status_newest", "status", "id"),
        Index("ix_background_jobs_class_newest", "class_name", "id"),
        Index(
            "ix_background_jobs_launcher", "launcher_id", sqlite_where=_IS_TAKEN, postgresql_where=_IS_TAKEN
        ),
        UniqueConstraint("unique_slot"),
        # Numbers are never used again: a log or an event must not speak of another job.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    class_name: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(200))
    # JSON text: a list (positional) or an object (by name).
    parameters: Mapped[str] = mapped_column(LongText, default="[]")
    # What people and logs see instead, when a parameter is a secret.
    shown_parameters: Mapped[str | None] = mapped_column(LongText)
    priority: Mapped[int] = mapped_column(SmallInteger, default=2)
    status: Mapped[str] = mapped_column(String(9), default="pending")
    # Microseconds since the epoch: run_at plus what its priority makes it wait. Claims go by it.
    rank: Mapped[int] = mapped_column(BigInteger)
    # Its priority, unless a person has sent it ahead; within a lane ranks are in the order of run_at.
    lane: Mapped[int] = mapped_column(SmallInteger, default=_lane_of, server_default="2")
    run_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    is_held: Mapped[bool] = mapped_column(Boolean, default=False)
    # How many other jobs must end before this one may run.
    waits_for: Mapped[int] = mapped_column(Integer, default=0)
    # The number of the latest attempt: the token that proves who may write.
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    # Attempts of the present budget; a person's retry starts a new one.
    attempts_used: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=1)
    # Times its process died without a word; the third is the last.
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    timeout_seconds: Mapped[float | None] = mapped_column(Double)
    unique_key: Mapped[str | None] = mapped_column(String(200))
    # The key while it is taken (see below), NULL after: portable "unique where not finished".
    unique_slot: Mapped[str | None] = mapped_column(String(200))
    # Until then the key stays taken, even if the job has finished.
    unique_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    launcher_id: Mapped[str | None] = mapped_column(String(32))
    cancel_requested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cancel_requested_by: Mapped[str | None] = mapped_column(String(200))
    progress_done: Mapped[float | None] = mapped_column(Double)
    progress_total: Mapped[float | None] = mapped_column(Double)
    progress_message: Mapped[str | None] = mapped_column(String(200))
    # JSON text of what the handler returned.
    result: Mapped[str | None] = mapped_column(LongText)
    # The last line of the last failure, or how a cancel ended it.
    error: Mapped[str | None] = mapped_column(LongText)
    created_by: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    attempts: Mapped[list[Attempt]] = relationship(order_by="Attempt.number", viewonly=True)
    events: Mapped[list[Event]] = relationship(order_by="Event.id", viewonly=True)

    @property
    def handler(self) -> str:
        """The handler as logs and pages name it: `dotted.Class@method`."""
        return f"{self.class_name}@{self.method}"


# A literal: what a parameter will be is not known to who chooses the index of pending jobs.
IS_PENDING: Final = Job.status == literal_column("'pending'")
# "IS false" is no condition that MariaDB's indexes know.
IS_FREE: Final = IS_PENDING & (Job.is_held == false()) & (Job.waits_for == 0)


class Dependency(Base):
    """One job waits for another to end."""

    __tablename__ = "background_job_dependencies"
    __table_args__ = (
        CheckConstraint("policy IN ('cancel', 'run')", name="policy"),
        Index("ix_background_job_dependencies_after", "after_id"),
    )

    job_id: Mapped[int] = mapped_column(
        ForeignKey("background_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    after_id: Mapped[int] = mapped_column(
        ForeignKey("background_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    # What becomes of the job if the other fails or is cancelled: it is cancelled too, or runs all the same.
    policy: Mapped[str] = mapped_column(String(6), default="cancel")
    # Whether the other's end has been counted: once, however often a person has it run again.
    is_settled: Mapped[bool] = mapped_column(Boolean, default=False)


class JobClass(Base):
    """What holds for all jobs of a class, over all launchers; the name `*` stands for every class."""

    __tablename__ = "background_job_classes"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    is_paused: Mapped[bool] = mapped_column(Boolean, default=False)
    paused_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    paused_by: Mapped[str | None] = mapped_column(String(200))
    # JSON text: the starts that its rate still counts, if it has one.
    starts: Mapped[str | None] = mapped_column(Text)


class Schedule(Base):
    """A job that is enqueued again and again; the row decides who of many launchers does it."""

    __tablename__ = "background_job_schedules"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    cron: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    next_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_job_id: Mapped[int | None] = mapped_column(BigInteger)
    missed: Mapped[int] = mapped_column(Integer, default=0)
    is_paused: Mapped[bool] = mapped_column(Boolean, default=False)


class Attempt(Base):
    """One run of a job, its process and what became of it."""

    __tablename__ = "background_job_attempts"
    __table_args__ = (
        UniqueConstraint("job_id", "number"),
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        CheckConstraint("(outcome = 'running') = (finished_at IS NULL)", name="finished_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("background_jobs.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(12), default="running")
    launcher_id: Mapped[str | None] = mapped_column(String(32))
    host: Mapped[str | None] = mapped_column(String(255))
    pid: Mapped[int | None] = mapped_column(Integer)
    # Seconds since the machine started: with the pid it names one process, whatever the clock does.
    process_started: Mapped[float | None] = mapped_column(Double)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(LongText)
    traceback: Mapped[str | None] = mapped_column(LongText)
    exit_code: Mapped[int | None] = mapped_column(Integer)
    signal: Mapped[int | None] = mapped_column(Integer)
    cpu_seconds: Mapped[float | None] = mapped_column(Double)
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # Bytes of output kept; 0 when there was none. The file's name follows from job and number.
    log_bytes: Mapped[int] = mapped_column(BigInteger, default=0)


class Event(Base):
    """What a person or rescue did to a job, or to a class of them; never changed afterwards."""

    __tablename__ = "background_job_events"
    __table_args__ = (
        CheckConstraint("(job_id IS NULL) = (subject IS NOT NULL)", name="subject"),
        Index("ix_background_job_events_job", "job_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("background_jobs.id", ondelete="CASCADE"))
    # The class, `*` for all of them, or `schedule:NAME`, when it is no single job that something was done to.
    subject: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    # Who: what the host calls the person, "cli:<user>", or "rescue".
    actor: Mapped[str] = mapped_column(String(200))
    # Past tense: started, cancel_requested, cancelled, retried, held, released, rescued.
    name: Mapped[str] = mapped_column(String(32))
    before: Mapped[str] = mapped_column(String(32))
    after: Mapped[str] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(LongText)


class LauncherRow(Base):
    """A launcher that is, or was, alive: who may be believed to run something."""

    __tablename__ = "background_job_launchers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    boot_id: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    process_started: Mapped[float] = mapped_column(Double)
    slots: Mapped[int] = mapped_column(Integer)
    is_draining: Mapped[bool] = mapped_column(Boolean, default=False)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
