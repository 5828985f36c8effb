"""The page of the schedules, and the button that runs one now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, make_response, redirect, request, url_for

from app.runner import binding, queries, store
from app.runner.dashboard import parameters
from app.runner.dashboard.pausing import refusal
from app.runner.dashboard.web import answer, blueprint, now, render
from app.runner.errors import PauseRefused, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from app.runner.schedules import CronSchedule


@blueprint.get("/schedules")
def schedules() -> Response:
    """Show when each schedule comes next, what it last did, and what it missed."""
    parameters.read(request.args, ())
    moment, bound = now(), binding.current()
    with bound.read() as session:
        found = queries.schedules(session, bound.settings.schedules, moment)
    return answer("runner/schedules.html", "runner/_schedule_list.html", schedules=found, now=moment)


@blueprint.post("/schedules/<name>/pause")
def pause_schedule(name: str) -> Response:
    """Have a schedule enqueue nothing until somebody resumes it."""
    return _turn(store.pause_schedule, name)


@blueprint.post("/schedules/<name>/resume")
def resume_schedule(name: str) -> Response:
    """Let a paused schedule go on."""
    return _turn(store.resume_schedule, name)


def _turn(verb: Callable[..., None], name: str) -> Response:
    bound, schedule = binding.current(), _named(name)
    try:
        with bound.write() as session:
            verb(session, schedule, actor=bound.actor())
    except PauseRefused as refused:
        return refusal(refused)
    return redirect(url_for(".schedules"), 303)


def _named(name: str) -> CronSchedule:
    schedule = binding.current().settings.schedules.get(name)
    if schedule is None:
        abort(404)
    return schedule


@blueprint.post("/schedules/<name>/run")
def run_schedule(name: str) -> Response:
    """Enqueue the job of a schedule now, beside its times."""
    bound, schedule = binding.current(), _named(name)
    try:
        with bound.write() as session:
            job = store.run_schedule(session, schedule, bound.settings, bound.registry, actor=bound.actor())
            job_id = job.id
    except ValidationError as refused:
        page = render("runner/problem.html", title="Nothing was enqueued", problem=str(refused))
        return make_response(page, 409)
    return redirect(url_for(".job", job_id=job_id), 303)
