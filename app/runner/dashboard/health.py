"""One word for whatever watches over the site: does the database answer, is a launcher alive?"""

from __future__ import annotations

import datetime as dt

from flask import Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from app.runner import binding, queries


def healthz() -> Response:
    """Answer "ok", or 503 with a sentence; for everybody to see, so it tells nothing else."""
    problem = _problem()
    response = Response(problem or "ok", status=503 if problem else 200, mimetype="text/plain")
    response.cache_control.no_store = True
    return response


def _problem() -> str | None:
    try:
        with binding.current().read() as session:
            alive = queries.launchers_alive(session, dt.datetime.now(dt.UTC))
    except SQLAlchemyError as error:
        current_app.logger.warning("healthz: %s", error)
        return "The database does not answer, or has no tables of the runner."
    return None if alive else "No launcher is alive, so no job runs."
