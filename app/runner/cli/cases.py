"""`flask jobs run-test-jobs`: four cases that show, and check, what the runner does."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from sqlalchemy import select

from app.runner import binding, queries
from app.runner.api import run_background_job
from app.runner.cli.group import Refused, application_path, jobs_cli
from app.runner.models import FINAL_STATUSES, Attempt, Job

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE: Final = "app.runner.samples.SampleJob"
# A job that has not ended by then shows that something is wrong.
PATIENCE_SECONDS: Final = 60.0
DELAY_SECONDS: Final = 10


@jobs_cli.command("run-test-jobs")
@click.argument("case", type=click.Choice(["a", "b", "c", "d"]))
def run_test_jobs(case: str) -> None:
    """Run a case: a plain; b low then high, high runs first; c delayed 10 s; d fails and is retried."""
    {"a": _plain, "b": _priorities, "c": _delayed, "d": _retried}[case]()
    click.echo(f"case {case} passed")


def _plain() -> None:
    (job,) = _run_all({"parameters": ["hello from case a"]})
    _expect(job.status == "completed", f"job {job.id} completed and returned {job.result}")


def _priorities() -> None:
    low, high = _run_all({"parameters": ["low"], "priority": 3}, {"parameters": ["high"], "priority": 1})
    first = _first_attempt(low, high)
    _expect(first == high.id, f"job {high.id} (high) started before job {low.id} (low), enqueued first")


def _delayed() -> None:
    (job,) = _run_all({"parameters": ["late"], "delay": DELAY_SECONDS})
    waited = (job.started_at - job.created_at).total_seconds() if job.started_at else 0.0
    _expect(waited >= DELAY_SECONDS, f"job {job.id} started {waited:.1f} s after it was enqueued")


def _retried() -> None:
    (job,) = _run_all({"method": "fail_once", "retries": 1, "priority": 2})
    _expect(
        job.status == "completed" and job.attempt > 1,
        f"job {job.id} failed once and completed in attempt {job.attempt}",
    )


def _expect(is_so: object, sentence: str) -> None:
    if not is_so:
        raise Refused(f"not so: {sentence}")
    click.echo(sentence)


def _run_all(*wanted: dict[str, object]) -> list[Job]:
    """Enqueue jobs in one transaction, and wait until each has ended."""
    with binding.current().write() as session:
        jobs = []
        for each in wanted:
            options = {"method": "plain", **each}
            method = str(options.pop("method"))
            jobs.append(run_background_job(SAMPLE, method, session=session, **options))  # type: ignore[arg-type]
        ids = [job.id for job in jobs]
    click.echo(f"enqueued {', '.join(f'job {job_id}' for job_id in ids)}")
    with _launcher():
        return _ended(ids)


def _ended(ids: list[int]) -> list[Job]:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with binding.current().read() as session:
            found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}
        if all(job.status in FINAL_STATUSES for job in found.values()):
            return [found[job_id] for job_id in ids]
        time.sleep(0.05)
    raise Refused(f"not all of jobs {ids} ended within {PATIENCE_SECONDS:.0f} s")


def _first_attempt(*jobs: Job) -> int | None:
    ids = [job.id for job in jobs]
    with binding.current().read() as session:
        return session.scalar(
            select(Attempt.job_id).where(Attempt.job_id.in_(ids)).order_by(Attempt.id).limit(1)
        )


@contextlib.contextmanager
def _launcher() -> Iterator[None]:
    """Use the launcher that is alive, or one of our own for as long as it takes."""
    with binding.current().read() as session:
        if queries.launchers_alive(session, dt.datetime.now(dt.UTC)):
            yield
            return
    path = application_path()
    command = [
        sys.executable,
        "-m",
        "flask",
        *(["--app", path] if path else []),
        "jobs",
        "work",
        "--slots",
        "1",
    ]
    environment = dict(os.environ) | {
        "PYTHONPATH": os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    }
    launcher = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        launcher.terminate()
        launcher.wait()
