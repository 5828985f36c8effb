"""`flask jobs start|hold|release|cancel|retry ID...`: a person's verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.runner import binding, store
from app.runner.cli.group import JOB_ID, Refused, jobs_cli
from app.runner.errors import RunnerError

if TYPE_CHECKING:
    from collections.abc import Callable


def _add(name: str, verb: Callable[..., None], did: str, explanation: str) -> None:
    @jobs_cli.command(name, help=explanation)
    @click.argument("ids", metavar="ID...", nargs=-1, required=True, type=JOB_ID)
    def command(ids: tuple[int, ...]) -> None:
        refused = [problem for job_id in ids if (problem := _act(verb, job_id, did)) is not None]
        if refused:
            raise Refused("; ".join(refused))


def _act(verb: Callable[..., None], job_id: int, did: str) -> str | None:
    bound = binding.current()
    try:
        with bound.write() as session:
            verb(session, job_id, actor=bound.actor())
    except RunnerError as error:
        return str(error)
    click.echo(f"job {job_id} {did}")
    return None


_add("start", store.start_now, "will run now", "Run waiting jobs now, before all others.")
_add("hold", store.hold, "is held", "Keep waiting jobs from running until released.")
_add("release", store.release, "is released", "Let held jobs wait for their turn again.")
_add("cancel", store.cancel, "is being cancelled", "End jobs; running ones with all their processes.")
_add("retry", store.retry, "will run again", "Run finished jobs again, with a new budget of attempts.")
