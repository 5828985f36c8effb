"""The page of the schedules, and the button that runs one now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, make_response, redirect, request, url_for

from app.runner import binding, queries, store
from app.runner.dashboard import parameters
from app.runner.dashboard.web import answer, blueprint, now, render
from app.runner.errors import ValidationError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("/schedules")
def schedules() -> Response:
    """Show when each schedule comes next, what it last did, and what it missed."""
    parameters.read(request.args, ())
    moment, bound = now(), binding.current()
    with bound.read() as session:
        found = queries.schedules(session, bound.settings.schedules, moment)
    return answer("runner/schedules.html", "runner/_schedule_list.html", schedules=found, now=moment)


@blueprint.post("/schedules/<name>/run")
def run_schedule(name: str) -> Response:
    """Enqueue the job of a schedule now, beside its times."""
    bound = binding.current()
    schedule = bound.settings.schedules.get(name)
    if schedule is None:
        abort(404)
    try:
        with bound.write() as session:
            job = store.run_schedule(session, schedule, bound.settings, bound.registry, actor=bound.actor())
            job_id = job.id
    except ValidationError as refused:
        page = render("runner/problem.html", title="Nothing was enqueued", problem=str(refused))
        return make_response(page, 409)
    return redirect(url_for(".job", job_id=job_id), 303)
