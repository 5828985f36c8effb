"""What a person does to jobs: one small view per verb, and the same verbs for many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import make_response, redirect, request, url_for

from app.runner import binding, queries, store
from app.runner.dashboard.parameters import BadParameter
from app.runner.dashboard.web import blueprint, now, parse_job_id, render, wants_fragment
from app.runner.errors import IllegalTransition, JobNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

VERBS: Final[dict[str, Callable[..., None]]] = {
    "start": store.start_now,
    "cancel": store.cancel,
    "retry": store.retry,
    "hold": store.hold,
    "release": store.release,
}

# One request changes at most so many jobs: they share one transaction, which others wait for.
BULK_LIMIT: Final = 1000

# The event at which app.js lets go of what was chosen and has the lists ask anew.
CHANGED: Final = "runner:changed"

_SAID: Final = {
    "start": "starts as soon as a slot is free",
    "cancel": "is being cancelled",
    "retry": "will run again",
    "hold": "is held",
    "release": "is released",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a verb: which jobs were changed, and why the others were not."""

    verb: str
    done: tuple[int, ...]
    refused: tuple[tuple[int, str], ...]

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        if len(self.done) == 1 and not self.refused:
            return f"Job {self.done[0]} {_SAID[self.verb]}."
        if not self.done and len(self.refused) == 1:
            return f"Nothing was done: {self.refused[0][1]}."
        changed = f"{self.verb.capitalize()}: {len(self.done)} done"
        return f"{changed}, {len(self.refused)} refused." if self.refused else f"{changed}."


@blueprint.post("/<job_id>/start")
def start(job_id: str) -> Response:
    """Have a pending job run now, before all others."""
    return _act("start", job_id)


@blueprint.post("/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """End a job, and everything its process has started."""
    return _act("cancel", job_id)


@blueprint.post("/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Have a finished job run again."""
    return _act("retry", job_id)


@blueprint.post("/<job_id>/hold")
def hold(job_id: str) -> Response:
    """Keep a pending job from running."""
    return _act("hold", job_id)


@blueprint.post("/<job_id>/release")
def release(job_id: str) -> Response:
    """Let a held job run."""
    return _act("release", job_id)


@blueprint.post("/bulk/<any(start, cancel, retry, hold, release):verb>")
def bulk(verb: str) -> Response:
    """Do one thing to many jobs, and report for how many it was done and which refused."""
    report = _do(verb, _chosen())
    if not wants_fragment():
        title = f"{verb.capitalize()}: {len(report.done)} done"
        return make_response(render("runner/report.html", title=title, report=report))
    response = make_response(render("runner/_report.html", report=report))
    response.headers["HX-Trigger"] = CHANGED
    return response


def _act(verb: str, job_id: str) -> Response:
    number = parse_job_id(job_id)
    report = _do(verb, [number])
    status = 409 if report.refused else 200
    if wants_fragment():
        response = _fresh(number, report)
        response.status_code = status
        return response
    if report.refused:
        page = render(
            "runner/problem.html", title="Nothing was changed", problem=report.sentence, job_id=number
        )
        return make_response(page, status)
    return redirect(_back(number), 303)


def _do(verb: str, ids: list[int]) -> Report:
    current = binding.current()
    actor, done, refused = current.actor(), [], []
    with current.write() as session:
        for job_id in ids:
            try:
                VERBS[verb](session, job_id, actor=actor)
            except IllegalTransition as problem:
                refused.append((job_id, str(problem)))
            except JobNotFound as problem:
                if len(ids) == 1:
                    raise
                refused.append((job_id, str(problem)))
            else:
                done.append(job_id)
    return Report(verb=verb, done=tuple(done), refused=tuple(refused))


def _fresh(job_id: int, report: Report) -> Response:
    """Render anew what the button stands in: the page of the job, or its row; else the list asks itself."""
    target = request.headers.get("HX-Target", "").partition("#")[2]
    fragment = {"job": "runner/_job.html", f"job-row-{job_id}": "runner/_job_row.html"}.get(target)
    shown = _fragment(fragment, job_id) if fragment else ""
    response = make_response(shown + render("runner/_report.html", report=report))
    if not fragment:
        response.headers["HX-Trigger"] = CHANGED
    return response


def _fragment(template: str, job_id: int) -> str:
    moment = now()
    with binding.current().read() as session:
        detail = queries.get_job(session, job_id, moment)
    return render(template, job=detail, row=detail.row, log=None, now=moment)


def _back(job_id: int) -> str:
    """Where a person without script came from, if that is a page of the dashboard."""
    home, here = url_for(".jobs"), urlsplit(request.referrer or "")
    if here.netloc == request.host and here.path.startswith(home):
        return f"{here.path}?{here.query}" if here.query else here.path
    return url_for(".job", job_id=job_id)


def _chosen() -> list[int]:
    texts = request.form.getlist("ids")
    if not texts:
        raise BadParameter("ids", "", "at least one job: tick the jobs that are meant")
    if len(texts) > BULK_LIMIT:
        raise BadParameter("ids", f"{len(texts)} of them", f"at most {BULK_LIMIT} jobs at once")
    for text in texts:
        if not (text.isascii() and text.isdigit() and 0 < len(text) <= 18):  # noqa: PLR2004 - digits of an id
            raise BadParameter("ids", text, "the number of a job")
    # From the first to the last: a job that is retried waits for those before it that are.
    return sorted({int(text) for text in texts})
