"""Somebody else's application with nothing but the runner: what the dashboard's tests stand in."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jinja2
from flask import Flask
from sqlalchemy import event

from app.runner import Runner, binding, logs
from app.runner.models import FINAL_STATUSES, Attempt, Event, Job, LauncherRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
LAUNCHER = "launcher-that-lives"
SILENT = "launcher-that-is-silent"


class House:
    """A Flask application with a dashboard that everybody may see, and ways to put jobs into it."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.now = dt.datetime.now(dt.UTC)
        self.is_open = True
        self.application = Flask("host", root_path=str(folder), instance_path=str(folder / "instance"))
        self.application.config.update(TESTING=True, RUNNER_LOG_DIR=str(folder / "logs"), **config)
        self.application.jinja_env.undefined = jinja2.StrictUndefined
        Runner(self.application, guard=lambda: self.is_open, actor=lambda: "ada@example.com")
        self.client = self.application.test_client()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that commits."""
        with self.application.app_context(), binding.current().write() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with self.application.app_context(), binding.current().read() as session:
            yield session

    def add(self, status: str = "pending", **values: Any) -> int:
        """Store a job that is consistent with its status."""
        defaults: dict[str, Any] = {
            "class_name": "shop.jobs.Invoice",
            "method": "send",
            "rank": 0,
            "run_at": self.now,
            "created_at": self.now,
            "status": status,
        }
        if status == "running":
            defaults |= {"launcher_id": LAUNCHER, "started_at": self.now, "attempt": 1, "attempts_used": 1}
        if status in FINAL_STATUSES:
            defaults["finished_at"] = self.now
        with self.write() as session:
            job = Job(**(defaults | values))
            session.add(job)
            session.flush()
            return job.id

    def attempt(self, job_id: int, number: int = 1, outcome: str = "running", **values: Any) -> None:
        """Store an attempt of a job."""
        finished_at = None if outcome == "running" else self.now
        defaults = {"started_at": self.now, "finished_at": finished_at}
        with self.write() as session:
            session.add(Attempt(job_id=job_id, number=number, outcome=outcome, **(defaults | values)))

    def event(self, job_id: int, name: str, **values: Any) -> None:
        """Store what a person did."""
        defaults = {"at": self.now, "actor": "eve@example.com", "before": "pending", "after": "held"}
        with self.write() as session:
            session.add(Event(job_id=job_id, name=name, **(defaults | values)))

    def launcher(self, name: str = LAUNCHER, *, silent_seconds: float = 0) -> None:
        """Store a launcher that was last heard of so long ago."""
        heard = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=silent_seconds)
        with self.write() as session:
            row = LauncherRow(id=name, host="ithaca", boot_id="boot", pid=42, process_started=1.0, slots=2)
            row.started_at = row.heartbeat_at = heard
            session.add(row)

    def log(self, job_id: int, number: int, data: bytes) -> None:
        """Write what an attempt has written."""
        with self.application.app_context():
            path = logs.attempt_log_path(binding.current().settings.log_dir, job_id, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def status(self, job_id: int) -> str:
        """Read the status of a job."""
        with self.read() as session:
            job = session.get(Job, job_id)
            assert job is not None
            return job.status

    def get(self, path: str = "", **headers: str) -> TestResponse:
        """Ask for a page of the dashboard."""
        return self.client.get(f"/background-jobs{path}", headers=headers)

    def fragment(self, path: str = "", **headers: str) -> TestResponse:
        """Ask as htmx does."""
        return self.client.get(f"/background-jobs{path}", headers=FRAGMENT | headers)

    def post(self, path: str, data: Any = None, **headers: str) -> TestResponse:
        """Do something."""
        return self.client.post(f"/background-jobs{path}", data=data, headers=headers)

    def page(self, path: str = "") -> str:
        """Give a page's text."""
        return self.get(path).get_data(as_text=True)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the statements that are sent to the database meanwhile."""
        statements: list[str] = []

        def note(*arguments: Any) -> None:
            if arguments[2] != "BEGIN":
                statements.append(arguments[2])

        with self.application.app_context():
            engine = binding.current().engine
        event.listen(engine, "before_cursor_execute", note)
        yield statements
        event.remove(engine, "before_cursor_execute", note)

    def close(self) -> None:
        """Let go of the database."""
        with self.application.app_context():
            binding.current().engine.dispose()
