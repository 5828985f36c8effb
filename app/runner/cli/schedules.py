"""`flask jobs schedules`: what comes again and again, and when."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from app.runner import binding, queries, store
from app.runner.cli.group import BadInput, as_json, jobs_cli, moment, print_json, print_table

if TYPE_CHECKING:
    from app.runner.schedules import CronSchedule


@jobs_cli.group("schedules", invoke_without_command=True)
@as_json
@click.pass_context
@with_appcontext
def schedules_cli(context: click.Context, is_json: bool) -> None:
    """List the schedules: when each last ran, what it missed, and its next ten times; or change one."""
    if context.invoked_subcommand is None:
        _list(is_json)


@schedules_cli.command()
@click.argument("name")
def pause(name: str) -> None:
    """Have a schedule enqueue nothing until somebody resumes it."""
    bound = binding.current()
    with bound.write() as session:
        store.pause_schedule(session, _named(name), actor=bound.actor())
    click.echo(f"the schedule {name} is paused")


@schedules_cli.command()
@click.argument("name")
def resume(name: str) -> None:
    """Let a paused schedule go on; what it missed is caught up as its policy says."""
    bound = binding.current()
    with bound.write() as session:
        store.resume_schedule(session, _named(name), actor=bound.actor())
    click.echo(f"the schedule {name} is resumed")


def _named(name: str) -> CronSchedule:
    schedules = binding.current().settings.schedules
    if name not in schedules:
        known = ", ".join(sorted(schedules)) or "none"
        raise BadInput(f"{ascii(name)[:80]} is no schedule; those of RUNNER_SCHEDULES are: {known}")
    return schedules[name]


def _list(is_json: bool) -> None:
    bound = binding.current()
    with bound.read() as session:
        found = queries.schedules(session, bound.settings.schedules, dt.datetime.now(dt.UTC))
    if is_json:
        print_json(found)
        return
    if not found:
        click.echo("there is no schedule: RUNNER_SCHEDULES is empty")
        return
    print_table(
        ("schedule", "cron", "time zone", "handler", "last run", "missed", "next times, UTC"),
        (
            (
                f"{each.name} (paused)" if each.is_paused else each.name,
                each.cron,
                each.timezone,
                each.handler,
                f"{moment(each.last_at)} (job {each.last_job_id})" if each.last_at else "",
                str(each.missed),
                "\n".join(moment(time) for time in each.times),
            )
            for each in found
        ),
    )
