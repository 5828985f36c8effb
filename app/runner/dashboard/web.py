"""What all routes of the dashboard share: the blueprint, who may post, page or fragment."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from app.runner import binding, queries
from app.runner.dashboard.parameters import BadParameter
from app.runner.errors import JobNotFound
from app.runner.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.exceptions import HTTPException

blueprint = Blueprint(
    "runner",
    __name__,
    url_prefix="/background-jobs",
    template_folder="../../templates",
    static_folder="../../static",
    static_url_path="/static",
)

# No inline script or style anywhere in our own layout, so the policy needs no exception.
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_JOB_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@blueprint.before_request
def refuse_foreign_posts() -> None:
    """Refuse a change that another site's page asks for; safe where the host has no CSRF tokens.

    A request with neither header comes from no browser of this century.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is None or urlsplit(origin).netloc == request.host
    if not is_ours:
        abort(403, "This was asked for by a page of another site, so nothing was done.")


@blueprint.after_request
def add_headers(response: Response) -> Response:
    """Let no other site frame the dashboard under a person's clicks, and no inline script run in our layout.

    A host that has set these itself has its reason; in a host's own layout its own scripts must work.
    """
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if g.get("runner_layout") == Settings.layout:
        response.headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
    return response


@blueprint.errorhandler(BadParameter)
def bad_parameter(error: BadParameter) -> tuple[str, int]:
    """Answer 400 with the sentence that names the parameter."""
    return render("runner/problem.html", title="That view cannot be shown", problem=str(error)), 400


@blueprint.errorhandler(JobNotFound)
def job_not_found(error: JobNotFound) -> HTTPException | tuple[str, int]:
    """Answer 404, to a page as to a fragment."""
    problem = f"There is no job {error.job_id}. It may have been pruned."
    return render("runner/problem.html", title="No such job", problem=problem), 404


def parse_job_id(text: str) -> int:
    """Read a job's number from a URL; anything else than a plain positive number is not found."""
    if not _JOB_ID.fullmatch(text):
        abort(404)
    return int(text)


def link(view: str, arguments: Mapping[str, Any]) -> str:
    """Give the URL of one of the dashboard's own views."""
    return url_for(f"runner.{view}", **arguments)


def wants_fragment() -> bool:
    """Whether htmx asks for a part of the page; a restored history entry is a whole page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Request-Type") != "full"
        and "HX-History-Restore-Request" not in headers
    )


def now() -> dt.datetime:
    """Give the present time, to which one answer is true as a whole."""
    return dt.datetime.now(dt.UTC)


def render(template: str, **context: Any) -> str:
    """Render a template of the dashboard inside the host's layout."""
    layout = g.runner_layout = binding.current().settings.layout
    return render_template(template, layout=layout, words=queries, **context)


def answer(page: str, fragment: str, /, **context: Any) -> Response:
    """Answer with the page, or to htmx with its fragment: 304 when the asker has the same already."""
    is_fragment = wants_fragment()
    response = make_response(render(fragment if is_fragment else page, **context))
    response.vary.add("HX-Request")
    # Polls are answered 304 by the tag that app.js keeps; nothing of this belongs on a disk.
    response.cache_control.no_store = True
    if is_fragment:
        response.add_etag()
        response.make_conditional(request)
    return response
