"""`flask jobs pause|resume [CLASS]` and `flask jobs pauses`: a person stops classes of jobs, or all."""

from __future__ import annotations

import datetime as dt

import click

from app.runner import binding, queries, store
from app.runner.cli.group import as_json, jobs_cli, moment, print_json, print_table


@jobs_cli.command()
@click.argument("class_name", metavar="[CLASS]", default="*")
def pause(class_name: str) -> None:
    """Have no more jobs of a class begin, or of any; those that run go on."""
    bound = binding.current()
    with bound.write() as session:
        store.pause(session, class_name, bound.settings, actor=bound.actor())
    click.echo(f"{_named(class_name)} paused")


@jobs_cli.command()
@click.argument("class_name", metavar="[CLASS]", default="*")
def resume(class_name: str) -> None:
    """Let the jobs of a paused class begin again, or those of all."""
    bound = binding.current()
    with bound.write() as session:
        store.resume(session, class_name, actor=bound.actor())
        others = [row.name for row in queries.paused_classes(session)]
    click.echo(f"{_named(class_name)} resumed")
    if others:
        click.echo(f"still paused: {', '.join(others)}")


@jobs_cli.command()
@as_json
def pauses(is_json: bool) -> None:
    """List the approved classes: who is paused and by whom, who is limited to what."""
    bound = binding.current()
    now = dt.datetime.now(dt.UTC)
    with bound.read() as session:
        found = queries.job_classes(session, bound.settings.approved, now)
    if is_json:
        print_json(found)
        return
    print_table(
        ("class", "state", "by", "since", "running", "at most", "rate"),
        (
            (
                each.name,
                "paused" if each.is_paused else "open",
                each.paused_by or "",
                moment(each.paused_at),
                str(each.running),
                str(each.max_running or ""),
                f"{each.rate} ({each.started} used)" if each.rate else "",
            )
            for each in found
        ),
    )


def _named(class_name: str) -> str:
    return "everything is" if class_name == "*" else f"{class_name} is"
