"""The pages to look at: the list, one job, failures, launchers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import redirect, request

from app.runner import binding, queries
from app.runner.dashboard import parameters
from app.runner.dashboard.logs import latest_log
from app.runner.dashboard.web import answer, blueprint, link, now, parse_job_id, wants_fragment
from app.runner.models import PRIORITIES, STATUSES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("")
def jobs() -> Response:
    """Show the jobs that match the filters, newest first, with the counts of every status."""
    given = parameters.read(request.args, parameters.LIST)
    filters, cursor = parameters.filters_of(given), parameters.cursor_of(given)
    moment = now()
    with binding.current().read() as session:
        page = queries.list_jobs(session, filters, cursor, moment)
        if cursor.after is not None and page.newer is None:
            # Less than a page is newer: that is the first page, which should be a full one.
            return redirect(link("jobs", parameters.as_arguments(filters)))
        overview = queries.overview(session, moment)
        classes = queries.classes(session)
        paused = queries.paused_classes(session) if overview.paused else []
    return answer(
        "runner/jobs.html",
        "runner/_job_list.html",
        page=page,
        overview=overview,
        classes=classes,
        paused=paused,
        filters=filters,
        arguments=parameters.as_arguments(filters),
        here=link("jobs", given),
        now=moment,
        statuses=STATUSES,
        priorities=PRIORITIES,
    )


@blueprint.get("/<job_id>")
def job(job_id: str) -> Response:
    """Show everything about one job."""
    parameters.read(request.args, ())
    moment = now()
    with binding.current().read() as session:
        detail = queries.get_job(session, parse_job_id(job_id), moment)
    # A poll finds the log in the page already; the log has a poll of its own.
    log = None if wants_fragment() else latest_log(detail)
    return answer("runner/job.html", "runner/_job.html", job=detail, row=detail.row, log=log, now=moment)


@blueprint.get("/failures")
def failures() -> Response:
    """Show the jobs that failed, newest first, with what their last attempt left behind."""
    given = parameters.read(request.args, parameters.FAILURES)
    filters, cursor = parameters.filters_of(given), parameters.cursor_of(given)
    moment = now()
    with binding.current().read() as session:
        page = queries.list_failures(session, filters, cursor, moment)
    if cursor.after is not None and page.newer is None:
        return redirect(link("failures", parameters.as_arguments(filters)))
    return answer(
        "runner/failures.html",
        "runner/_failure_list.html",
        page=page,
        filters=replace(filters, status=None),
        arguments=parameters.as_arguments(filters),
        here=link("failures", given),
        now=moment,
    )


@blueprint.get("/launchers")
def launchers() -> Response:
    """Show the launchers: who could run jobs, and who has fallen silent."""
    parameters.read(request.args, ())
    moment = now()
    with binding.current().read() as session:
        found = queries.launchers(session, moment)
    return answer("runner/launchers.html", "runner/_launcher_list.html", launchers=found, now=moment)
