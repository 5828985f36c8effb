"""`flask jobs run`, `work` and `prune`."""

from __future__ import annotations

import datetime as dt
import gc
import time
from typing import TYPE_CHECKING, Any, Final

import click
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.runner import autostart, binding, maintenance, queries
from app.runner.api import run_background_job
from app.runner.cli.group import (
    JOB_ID,
    PRIORITY,
    BadInput,
    Refused,
    Seconds,
    WholeNumber,
    application_path,
    jobs_cli,
)
from app.runner.database import is_wrong_address
from app.runner.dispatcher import Dispatcher
from app.runner.errors import ValidationError
from app.runner.models import FINAL_STATUSES, Job
from app.runner.settings import MAX_DELAY_SECONDS
from app.runner.store.classes import is_anything_left

if TYPE_CHECKING:
    from app.runner.binding import Binding

_LOOK_SECONDS: Final = 0.1
# How soon a database that does not answer is asked again.
_RETRY_SECONDS: Final = 0.5
# What a launcher that starts by itself has for it.
_START_SECONDS: Final = 20.0
# Objects more than there were: a batch of jobs is a few thousand, and each collection looks at them all.
_COLLECT_AFTER: Final = 50_000


@jobs_cli.command()
@click.argument("class_name", metavar="CLASS")
@click.argument("method")
@click.option("-p", "--parameters", metavar="JSON", help="A list (positional) or an object (by name).")
@click.option("--priority", type=PRIORITY, default=2, show_default=True, help="1 high, 2 medium, 3 low.")
@click.option("--delay", type=Seconds("delay"), default=0.0, help="Seconds to wait before it is due.")
@click.option("--retries", type=WholeNumber("retries", 0, 1000), help="Attempts after a failure.")
@click.option("--timeout", type=Seconds("timeout"), help="Seconds one attempt may take.")
@click.option("--after", metavar="ID", type=JOB_ID, multiple=True, help="A job to wait for; may be repeated.")
@click.option(
    "--after-failed",
    type=click.Choice(["cancel", "run"]),
    default="cancel",
    show_default=True,
    help="What becomes of it if one of those fails or is cancelled.",
)
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 0 only if it completed.")
def run(
    class_name: str, method: str, *, parameters: str | None, delay: float, wait: bool, **options: Any
) -> None:
    """Enqueue one run of an approved handler."""
    whole = delay.is_integer() and delay <= MAX_DELAY_SECONDS
    try:
        with binding.current().write() as session:
            job = run_background_job(
                class_name,
                method,
                parameters,
                delay=int(delay) if whole else delay,
                session=session,
                **options,
            )
            job_id = job.id
    except ValidationError as error:
        raise BadInput(str(error)) from error
    click.echo(f"job {job_id} is enqueued")
    if wait:
        _wait_for(job_id)


def _wait_for(job_id: int) -> None:
    bound = binding.current()
    until = time.monotonic() + (_START_SECONDS if bound.settings.autostart else 0)
    while True:
        with bound.read() as session:
            job = session.get(Job, job_id)
            is_served = queries.launchers_alive(session, dt.datetime.now(dt.UTC)) > 0
        if job is None or job.status in FINAL_STATUSES:
            break
        if not is_served and time.monotonic() > until:
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
    # Who works until stopped waits for a database as long; who may leave, for as long as without work.
    bound = _reached(0.0 if drain and idle_exit is None else idle_exit)
    launcher = Dispatcher(
        bound, application=application_path(), slots=slots, drain=drain, idle_exit=idle_exit
    )
    _collect_seldom()
    launcher.run()
    autostart.release()
    if idle_exit is not None and not launcher.is_stopping:
        _look_back(bound)


def _collect_seldom() -> None:
    """Leave what is loaded out of garbage collection; a launcher makes no cycles to speak of."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def _reached(patience: float | None) -> Binding:
    """Give what we are bound to once its database answers; say once that it does not."""
    began, is_said = time.monotonic(), False
    while True:
        try:
            bound = binding.current()
            with bound.read() as session:
                session.execute(select(1))
        except OperationalError as error:
            is_over = patience is not None and time.monotonic() - began >= patience
            if is_over or is_wrong_address(error):
                raise
            if not is_said:
                said = " ".join(str(error.orig).split())
                click.echo(f"the database does not answer, trying again until it does: {said}", err=True)
            is_said = True
            time.sleep(_RETRY_SECONDS)
        else:
            return bound


def _look_back(bound: Binding) -> None:
    """See to it that a job runs which was enqueued while its only launcher was just leaving."""
    with bound.read() as session:
        is_left = is_anything_left(session)
    if is_left:
        autostart.ensure_launcher(bound)


@jobs_cli.command()
def prune() -> None:
    """Delete finished jobs older than RUNNER_RETENTION_DAYS."""
    click.echo(f"{maintenance.prune_old(binding.current())} jobs deleted")
