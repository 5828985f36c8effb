"""`flask jobs run`, `work`, `prune` and `check`."""

from __future__ import annotations

import datetime as dt
import time
from typing import Final

import click

from app.runner import binding, maintenance, processes, queries
from app.runner.api import run_background_job
from app.runner.cli.group import (
    PRIORITY,
    BadInput,
    Refused,
    Seconds,
    WholeNumber,
    application_path,
    as_json,
    jobs_cli,
    print_json,
)
from app.runner.dispatcher import Dispatcher
from app.runner.errors import ValidationError
from app.runner.models import FINAL_STATUSES, Job
from app.runner.registry import NotApproved
from app.runner.settings import MAX_DELAY_SECONDS

_LOOK_SECONDS: Final = 0.1


@jobs_cli.command()
@click.argument("class_name", metavar="CLASS")
@click.argument("method")
@click.option("-p", "--parameters", metavar="JSON", help="A list (positional) or an object (by name).")
@click.option("--priority", type=PRIORITY, default=2, show_default=True, help="1 high, 2 medium, 3 low.")
@click.option("--delay", type=Seconds("delay"), default=0.0, help="Seconds to wait before it is due.")
@click.option("--retries", type=WholeNumber("retries", 0, 1000), help="Attempts after a failure.")
@click.option("--timeout", type=Seconds("timeout"), help="Seconds one attempt may take.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 0 only if it completed.")
def run(
    class_name: str,
    method: str,
    parameters: str | None,
    priority: int,
    delay: float,
    retries: int | None,
    timeout: float | None,
    wait: bool,
) -> None:
    """Enqueue one run of an approved handler."""
    try:
        with binding.current().write() as session:
            job = run_background_job(
                class_name,
                method,
                parameters,
                priority=priority,
                delay=int(delay) if delay.is_integer() and delay <= MAX_DELAY_SECONDS else delay,
                retries=retries,
                timeout=timeout,
                session=session,
            )
            job_id = job.id
    except ValidationError as error:
        raise BadInput(str(error)) from error
    click.echo(f"job {job_id} is enqueued")
    if wait:
        _wait_for(job_id)


def _wait_for(job_id: int) -> None:
    bound = binding.current()
    while True:
        with bound.read() as session:
            job = session.get(Job, job_id)
            is_served = queries.launchers_alive(session, dt.datetime.now(dt.UTC)) > 0
        if job is None or job.status in FINAL_STATUSES:
            break
        if not is_served:
            raise Refused(f"no launcher is alive to run job {job_id}: start one with `flask jobs work`")
        time.sleep(_LOOK_SECONDS)
    status = job.status if job else "deleted"
    click.echo(f"job {job_id} {status}")
    if status != "completed":
        raise Refused(f"job {job_id} {status}: {job.error if job else ''}")


@jobs_cli.command()
@click.option("--slots", type=WholeNumber("slots", 1, 1024), help="Jobs at once; default RUNNER_SLOTS.")
@click.option("--drain", is_flag=True, help="Exit when nothing is left to do.")
@click.option("--idle-exit", type=Seconds("idle-exit"), help="Exit after so many seconds without work.")
def work(slots: int | None, drain: bool, idle_exit: float | None) -> None:
    """Run jobs on this machine until stopped: this is the launcher."""
    bound = binding.current()
    Dispatcher(bound, application=application_path(), slots=slots, drain=drain, idle_exit=idle_exit).run()


@jobs_cli.command()
def prune() -> None:
    """Delete finished jobs older than RUNNER_RETENTION_DAYS."""
    click.echo(f"{maintenance.prune_old(binding.current())} jobs deleted")


@jobs_cli.command()
@as_json
def check(is_json: bool) -> None:
    """Check settings, handlers, database and launchers; exit code 1 if something is wrong."""
    findings = list(_findings())
    if is_json:
        print_json([{"ok": ok, "what": what} for ok, what in findings])
    else:
        for ok, what in findings:
            click.echo(f"{'ok     ' if ok else 'PROBLEM'} {what}")
    if not all(ok for ok, _ in findings):
        raise Refused("something is wrong, see above")


def _findings() -> list[tuple[bool, str]]:
    bound = binding.current()
    settings = bound.settings
    found = [(True, f"settings: {settings.slots} slots, {settings.start_method}, logs in {settings.log_dir}")]
    for class_name, approval in settings.approved.items():
        for method in approval.methods:
            try:
                bound.registry.load(bound.registry.find(class_name, method))
                found.append((True, f"handler {class_name}@{method}"))
            except NotApproved as error:
                found.append((False, f"handler {class_name}@{method}: {error}"))
    with bound.read() as session:
        alive = queries.launchers_alive(session, dt.datetime.now(dt.UTC))
    found.append((True, f"database {bound.engine.url.render_as_string(hide_password=True)}"))
    found.append(
        (alive > 0, f"{alive} live launchers" if alive else "no live launcher: start `flask jobs work`")
    )
    found.append((True, f"machine {processes.host()}, boot {processes.boot_id()}"))
    return found
