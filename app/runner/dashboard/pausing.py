"""The page of the classes: what is paused and limited; and the two verbs for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, redirect, request, url_for

from app.runner import binding, queries, store
from app.runner.dashboard import parameters
from app.runner.dashboard.verbs import Report
from app.runner.dashboard.web import answer, blueprint, now, render, wants_fragment
from app.runner.errors import PauseRefused

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("/classes")
def classes() -> Response:
    """Show the approved classes: paused by whom, limited to what, and how many run."""
    parameters.read(request.args, ())
    moment, bound = now(), binding.current()
    with bound.read() as session:
        found = queries.job_classes(session, bound.settings.approved, moment)
    return answer("runner/classes.html", "runner/_class_list.html", classes=found, now=moment)


@blueprint.post("/classes/pause")
def pause() -> Response:
    """Have no more jobs of a class begin."""
    bound, name = binding.current(), _name()
    try:
        with bound.write() as session:
            store.pause(session, name, bound.settings, actor=bound.actor())
    except PauseRefused as refused:
        return refusal(refused)
    return redirect(url_for(".classes"), 303)


@blueprint.post("/classes/resume")
def resume() -> Response:
    """Let the jobs of a paused class begin again."""
    bound, name = binding.current(), _name()
    try:
        with bound.write() as session:
            store.resume(session, name, actor=bound.actor())
    except PauseRefused as refused:
        return refusal(refused)
    return redirect(url_for(".classes"), 303)


def _name() -> str:
    name = request.form.get("class", "")
    if not name:
        raise parameters.BadParameter("class", "", "the name of a class, or * for every class")
    return name


def refusal(refused: PauseRefused) -> Response:
    """Answer that nothing was paused or resumed, and why."""
    sentence = f"{str(refused)[0].upper()}{str(refused)[1:]}."
    if wants_fragment():
        report = Report(verb="pause", done=(), refused=((0, sentence),))
        return make_response(render("runner/_report.html", report=report), 409)
    page = render("runner/problem.html", title="Nothing was changed", problem=sentence)
    return make_response(page, 409)
