"""`flask jobs schedules`: what comes again and again, and when."""

from __future__ import annotations

import datetime as dt

import click

from app.runner import binding, queries
from app.runner.cli.group import as_json, jobs_cli, moment, print_json, print_table


@jobs_cli.command("schedules")
@as_json
def list_schedules(is_json: bool) -> None:
    """List the schedules: when each last ran, what it missed, and its next ten times."""
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
                each.name,
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
