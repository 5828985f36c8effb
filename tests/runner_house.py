"""The runner on a database and nothing else; and, where it takes one, in somebody's Flask application."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import Engine, create_engine, delete, select

from app.runner import Runner, Snooze, store
from app.runner.api import run_background_job
from app.runner.binding import Binding
from app.runner.database import configure
from app.runner.models import Attempt, Dependency, Event, Job, JobClass, LauncherRow, Schedule, metadata
from app.runner.settings import Settings, load_approved
from app.runner.store.attempts import claim_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy.orm import Session

    from app.runner.store import Claimed, Finish

Row = dict[str, Any]
Snapshot = dict[tuple[str, Any], Row]

WORK = "tests.runner_house.Work"
LAUNCHER = "launcher-of-the-test"
HOST = "host-of-the-test"
TABLES = (Event, Attempt, Dependency, Job, LauncherRow, JobClass, Schedule)

# Every state a job can be seen in; the first word is not always its status.
STATES = (
    "pending",
    "scheduled",
    "held",
    "retrying",
    "running",
    "cancelling",
    "completed",
    "failed",
    "cancelled",
)


class Work:
    """What the jobs of the tests would do."""

    def handle(self, text: str = "", n: int = 1) -> str:
        """Give back something that can be told apart."""
        return text * n

    def sign_in(self, name: str, password: str) -> None:
        """Take a secret."""

    def snooze(self, delay: float, reason: str) -> None:
        """Say that it is not the time yet."""
        raise Snooze(delay, reason)

    def _hidden(self) -> None:
        """Be nobody's handler."""


def now() -> dt.datetime:
    """Give the present moment."""
    return dt.datetime.now(dt.UTC)


def end(job: int, attempt: int = 1, status: str = "completed", outcome: str = "", **values: Any) -> Finish:
    """Give the end of an attempt."""
    outcome = outcome or ("retrying" if status == "pending" else status)
    values.setdefault("finished_at", now())
    return store.Finish(job_id=job, attempt=attempt, status=status, outcome=outcome, **values)


class Bench:
    """Jobs on an engine, brought into any state by the runner's own verbs."""

    def __init__(self, engine: Engine, folder: Path, **options: Any) -> None:
        self.settings = Settings(
            approved=load_approved({WORK: ["handle", "sign_in", "snooze"]}),
            log_dir=folder / "logs",
            wake_dir=folder,
            **options,
        )
        self.bound = Binding(settings=self.settings, engine=engine, actor=lambda: "ada")

    def write(self) -> AbstractContextManager[Session]:
        """Open a transaction that commits."""
        return self.bound.write()

    def read(self) -> AbstractContextManager[Session]:
        """Open a session that only reads."""
        return self.bound.read()

    def enqueue(self, **options: Any) -> int:
        """Store a job."""
        with self.write() as session:
            return run_background_job(WORK, "handle", session=session, **options).id

    def job_in(self, state: str, **options: Any) -> int:
        """Store a job and bring it into a state, as it would come there."""
        if state == "scheduled":
            options["delay"] = 3600
        job = self.enqueue(**options)
        with self.write() as session:
            for step in _WAY[state]:
                step(session, job, self.settings)
        return job

    def claim(self, limit: int = 10, launcher: str = LAUNCHER) -> list[Claimed]:
        """Claim what is due."""
        with self.write() as session:
            return store.claim(session, launcher, HOST, limit, self.settings.limited)

    def finish(self, end: Finish) -> Finish | None:
        """Write the end of an attempt, and give what was written."""
        with self.write() as session:
            return store.finish(session, end, self.settings)

    def job(self, job_id: int) -> Job:
        """Read a job."""
        with self.read() as session:
            found = session.get(Job, job_id)
            assert found is not None
            return found

    def snapshot(self) -> Snapshot:
        """Read every row of every table, in the order of its key: a server gives freed places to new rows."""
        found: Snapshot = {}
        with self.read() as session:
            for model in TABLES:
                name = model.__tablename__
                keys = list(model.__table__.primary_key)
                for row in session.execute(select(model.__table__).order_by(*keys)).mappings():
                    key = tuple(row[column.name] for column in keys)
                    found[name, key[0] if len(key) == 1 else key] = dict(row)
        return found

    def clear(self) -> None:
        """Delete everything."""
        with self.write() as session:
            for model in TABLES:
                session.execute(delete(model))


def _claim(session: Session, job: int, settings: Settings) -> None:
    del settings
    assert claim_one(session, job, LAUNCHER, HOST) is not None


def _hold(session: Session, job: int, settings: Settings) -> None:
    del settings
    store.hold(session, job, actor="bob")


def _cancel(session: Session, job: int, settings: Settings) -> None:
    del settings
    store.cancel(session, job, actor="bob")


def _finish(status: str, **values: Any) -> Callable[[Session, int, Settings], None]:
    def step(session: Session, job: int, settings: Settings) -> None:
        assert store.finish(session, end(job, status=status, **values), settings)

    return step


def _later(session: Session, job: int, settings: Settings) -> None:
    run_at = now() + dt.timedelta(seconds=60)
    assert store.finish(session, end(job, status="pending", run_at=run_at), settings)


_WAY: dict[str, tuple[Callable[[Session, int, Settings], None], ...]] = {
    "pending": (),
    "scheduled": (),
    "held": (_hold,),
    "retrying": (_claim, _later),
    "running": (_claim,),
    "cancelling": (_claim, _cancel),
    "completed": (_claim, _finish("completed", result='"done"')),
    "failed": (_claim, _finish("failed", error="it broke")),
    "cancelled": (_cancel,),
}


def host(folder: Path, *, guard: Any = None, **config: Any) -> Flask:
    """Give an application that has a runner and nothing else; its files are in `folder`."""
    application = Flask("host", root_path=str(folder), instance_path=str(folder / "instance"))
    application.config.update(TESTING=True, RUNNER_LOG_DIR=str(folder / "logs"), **config)
    Runner(application, guard=guard, actor=lambda: "ada")
    return application


def made_engine(url: str) -> Engine:
    """Open a database and make the runner's tables."""
    engine = create_engine(url)
    configure(engine)
    metadata.create_all(engine, tables=[metadata.tables[model.__tablename__] for model in reversed(TABLES)])
    return engine


def changes(before: Snapshot, after: Snapshot) -> dict[tuple[str, Any], Row]:
    """Give what is new or different, row by row, column by column."""
    found = {}
    for key, row in after.items():
        old = before.get(key, {})
        if row != old:
            found[key] = {name: value for name, value in row.items() if name not in old or value != old[name]}
    return found


def new_events(before: Snapshot, after: Snapshot) -> list[Row]:
    """Give the events that were recorded in between."""
    return [row for key, row in after.items() if key[0] == Event.__tablename__ and key not in before]
