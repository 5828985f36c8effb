"""`flask jobs list`, `show`, `logs`, `stats`: looking, changing nothing."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Final

import click

from app.runner import binding, logs, queries
from app.runner.cli.group import (
    JOB_ID,
    PRIORITY,
    Refused,
    WholeNumber,
    as_json,
    jobs_cli,
    moment,
    print_json,
    print_table,
)
from app.runner.models import PRIORITIES, STATUSES, Job
from app.runner.queries import Cursor, Filters

if TYPE_CHECKING:
    from pathlib import Path

_FOLLOW_SECONDS: Final = 0.2


@jobs_cli.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only jobs with this status.")
@click.option("--priority", type=PRIORITY, help="Only jobs of this priority.")
@click.option("--class", "class_name", help="Only jobs of this class.")
@click.option("--search", "text", help="Only jobs whose handler, parameters or error contain this text.")
@click.option("--limit", type=WholeNumber("limit", 1, 1000), default=50, show_default=True)
@as_json
def list_jobs(
    status: str | None,
    priority: int | None,
    class_name: str | None,
    text: str | None,
    limit: int,
    is_json: bool,
) -> None:
    """List jobs, newest first."""
    wanted = Filters(status=status, priority=priority, class_name=class_name, text=text)
    with binding.current().read() as session:
        rows = queries.list_jobs(session, wanted, Cursor(), dt.datetime.now(dt.UTC), limit=limit).rows
    if is_json:
        print_json([{**vars_of(row), "handler": row.handler} for row in rows])
        return
    print_table(
        ("job", "state", "handler", "parameters", "priority", "attempt", "run at"),
        (
            (
                str(row.id),
                row.state,
                f"{row.short_class}@{row.method}",
                row.parameters,
                PRIORITIES[row.priority],
                f"{row.attempts_used} of {row.max_attempts}",
                moment(row.run_at),
            )
            for row in rows
        ),
    )


def vars_of(row: queries.JobRow) -> dict[str, object]:
    """Give a row's columns, without the moment at which it was read."""
    return {name: value for name, value in vars(row).items() if name != "now"}


@jobs_cli.command()
@click.argument("job_id", metavar="ID", type=JOB_ID)
@as_json
def show(job_id: int, is_json: bool) -> None:
    """Show everything about one job."""
    with binding.current().read() as session:
        job = queries.get_job(session, job_id, dt.datetime.now(dt.UTC))
    if is_json:
        print_json(job)
        return
    row = job.row
    click.echo(f"job {row.id}  {row.state}  {row.handler}")
    click.echo(f"parameters  {job.full_parameters}")
    click.echo(f"priority    {PRIORITIES[row.priority]}, attempt {row.attempts_used} of {row.max_attempts}")
    for label, value in (("waiting", job.waiting), ("error", job.full_error), ("result", job.result)):
        if value:
            click.echo(f"{label:<11} {value}")
    for entry in job.timeline:
        click.echo(f"{moment(entry.at)}  {entry.title}{f' by {entry.actor}' if entry.actor else ''}")


@jobs_cli.command("logs")
@click.argument("job_id", metavar="ID", type=JOB_ID)
@click.option("--attempt", type=WholeNumber("attempt", 1, 10**9), help="Which attempt; default the latest.")
@click.option("--follow", is_flag=True, help="Go on until the job ends.")
def show_logs(job_id: int, attempt: int | None, follow: bool) -> None:
    """Print what an attempt of a job printed."""
    job = _job(job_id)
    number = attempt or job.attempt
    if number == 0:
        raise Refused(f"job {job_id} has not run yet")
    path = logs.attempt_log_path(binding.current().settings.log_dir, job_id, number)
    offset = _print_from(path, 0)
    while follow and (job := _job(job_id)).attempt == number and job.status == "running":
        time.sleep(_FOLLOW_SECONDS)
        offset = _print_from(path, offset)
    _print_from(path, offset)


def _job(job_id: int) -> Job:
    with binding.current().read() as session:
        job = session.get(Job, job_id)
    if job is None:
        raise Refused(f"there is no job id {job_id}")
    return job


def _print_from(path: Path, offset: int) -> int:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return offset
    text = data.decode("utf-8", "backslashreplace")
    click.echo("\n".join(queries.visible(line) for line in text.split("\n")), nl=False)
    return offset + len(data)


@jobs_cli.command()
@as_json
def stats(is_json: bool) -> None:
    """Count jobs by status, and launchers."""
    now = dt.datetime.now(dt.UTC)
    with binding.current().read() as session:
        seen = queries.overview(session, now)
    if is_json:
        print_json({"jobs": seen.by_status, "live_launchers": seen.live_launchers})
        return
    rows = [(status, queries.count(seen.by_status.get(status, 0))) for status in STATUSES]
    print_table(("status", "jobs"), [*rows, ("live launchers", str(seen.live_launchers))])
