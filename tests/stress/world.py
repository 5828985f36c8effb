"""The world of a stress test: an application of its own, its launchers, and witnesses of what happened.

The database writes its own audit by triggers, which know nothing of the runner's code: a row for each
change of a job's status and for each write to an attempt that had ended. The handlers write a file.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psutil
from sqlalchemy import create_engine

from app.runner import binding, groups, processes, run_background_job
from app.runner.binding import Binding
from app.runner.database import configure
from app.runner.models import metadata
from app.runner.settings import load_settings
from tests.launching import House, is_resting
from tests.stress.handlers import CLASS

if TYPE_CHECKING:
    from pathlib import Path

METHODS: Final = ["noop", "sleep", "fail", "retried", "die", "murder", "stubborn", "bare", "escape"]
GRACE_SECONDS: Final = 0.5
_RUN: Final = "STRESS_RUN"

_APPLICATION: Final = f"""
import os
from flask import Flask
from app.runner import Runner, groups

if "STRESS_WITHOUT_GROUPS" in os.environ:
    groups.own_folder = lambda: None

application = Flask(__name__)
application.config["RUNNER_APPROVED"] = {{"{CLASS}": {METHODS}}}
application.config.from_prefixed_env()
Runner(application, guard=lambda: True)
"""

_AUDIT: Final = (
    """CREATE TABLE audit (id INTEGER PRIMARY KEY, job_id INTEGER, before TEXT, after TEXT,
       attempt INTEGER, launcher TEXT)""",
    "CREATE TABLE audit_late (id INTEGER PRIMARY KEY, job_id INTEGER, number INTEGER, what TEXT)",
    """CREATE TRIGGER audit_status AFTER UPDATE OF status ON background_jobs
       WHEN OLD.status <> NEW.status BEGIN
       INSERT INTO audit (job_id, before, after, attempt, launcher) VALUES
       (NEW.id, OLD.status, NEW.status, NEW.attempt, OLD.launcher_id); END""",
    """CREATE TRIGGER audit_attempt AFTER UPDATE ON background_job_attempts
       WHEN OLD.outcome <> 'running' BEGIN
       INSERT INTO audit_late (job_id, number, what) VALUES
       (NEW.job_id, NEW.number, OLD.outcome || ' then ' || NEW.outcome); END""",
)


class Witnessed(NamedTuple):
    """One line that a handler wrote about itself."""

    at: float
    job_id: int
    attempt: int
    pid: int
    what: str
    tag: str


class World(House):
    """An application whose jobs are watched from outside."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run = uuid.uuid4().hex
        (folder / "house.py").write_text(_APPLICATION, encoding="utf-8")
        self.witness, self.ledger = folder / "witness.txt", folder / "ledger.txt"
        self.environment |= {
            "STRESS_WITNESS": str(self.witness),
            "STRESS_LEDGER": str(self.ledger),
            "STRESS_PAUSE": "0.02",
            "FLASK_RUNNER_GRACE_SECONDS": str(GRACE_SECONDS),
            _RUN: self.run,
        }
        self.bound = self._bind()

    def _bind(self) -> Binding:
        instance = self.folder / "instance"
        instance.mkdir(exist_ok=True)
        settings = load_settings(
            {
                "RUNNER_APPROVED": {CLASS: METHODS},
                "RUNNER_WAKE_DIR": str(instance),
                "RUNNER_LOG_DIR": str(self.folder / "logs"),
                "RUNNER_DATABASE_URL": f"sqlite:///{instance / 'jobs.db'}",
            }
        )
        engine = create_engine(settings.database_url)
        configure(engine)
        own = [table for name, table in metadata.tables.items() if name.startswith("background_job")]
        metadata.create_all(engine, tables=own)
        with engine.begin() as connection:
            for statement in _AUDIT:
                connection.exec_driver_sql(statement)
        return Binding(settings=settings, engine=engine, actor=lambda: "stress")

    def put(self, method: str, *parameters: object, count: int = 1, **options: Any) -> list[int]:
        """Enqueue jobs in one transaction of this process's."""
        before = binding._resolve
        binding.use(lambda: self.bound)
        try:
            with self.bound.write() as session:
                wanted = (CLASS, method, list(parameters))
                return [run_background_job(*wanted, session=session, **options).id for _ in range(count)]
        finally:
            binding.use(before)

    def launch_slots(self, slots: int) -> subprocess.Popen[bytes]:
        """Start a launcher with so many slots, quietly."""
        command = [sys.executable, "-m", "flask", "jobs", "work", "--slots", str(slots)]
        with (self.folder / "launchers.txt").open("ab") as said:
            launcher = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=said, stderr=said
            )
        self.launched.append(launcher)
        return launcher

    def enqueuer(self, first: int, last: int, seed: str, name: str) -> subprocess.Popen[bytes]:
        """Start a process that enqueues."""
        command = [sys.executable, "-m", "tests.stress.enqueuer", str(first), str(last), seed, name]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment)
        self.launched.append(process)
        return process

    def alive(self, launcher_id: str | None = None) -> list[psutil.Process]:
        """Give what is alive of this run but clients: warm parents, jobs and what they started."""
        found = self.alive_of()
        return [each for launcher, of in found.items() if launcher_id in {None, launcher} for each in of]

    def alive_of(self) -> dict[str, list[psutil.Process]]:
        """Give the same by launcher."""
        found: dict[str, list[psutil.Process]] = {}
        for each in psutil.process_iter():
            mark = _marks_of(each, self.run)
            if mark is not None and processes.living([each]):
                found.setdefault(mark, []).append(each)
        return found

    def at_work(self) -> list[int]:
        """Give those of them that belong to a job."""
        return [pid for pid in (each.pid for each in self.alive()) if not is_resting(pid)]

    def is_free(self) -> bool:
        """Whether nobody holds SQLite's write lock."""
        connection = sqlite3.connect(self.folder / "instance" / "jobs.db", timeout=0.3, isolation_level=None)
        with contextlib.closing(connection), contextlib.suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            return True
        return False

    def witnessed(self) -> list[Witnessed]:
        """Read what the handlers wrote."""
        if not self.witness.exists():
            return []
        lines = [line.split() for line in self.witness.read_text(encoding="utf-8").splitlines()]
        return [Witnessed(float(at), int(job), int(n), int(pid), *rest) for at, job, n, pid, *rest in lines]

    def tags(self) -> dict[str, int]:
        """Give the job of each tag that is in the database."""
        rows = self.rows("SELECT id, parameters FROM background_jobs")
        return {json.loads(parameters)[0]: job_id for job_id, parameters in rows}

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        self.bound.engine.dispose()
        for process in self.launched:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        for each in self.alive():
            processes.send_signal([each], signal.SIGKILL)
        groups.tidy()


def _marks_of(process: psutil.Process, run: str) -> str | None:
    """Give the launcher that a process of this run descends from."""
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return None
    mark = environment.get(processes.MARK) if environment.get(_RUN) == run else None
    return None if mark is None else mark.partition("-")[0]
