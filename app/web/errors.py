"""Error pages: what happened and what to do, never how the site is made."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import Flask, Response, current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests

from app.accounts.redirects import is_htmx
from app.db import db

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse


class Words(NamedTuple):
    """What a person reads."""

    title: str
    text: str


_WORDS: Final = {
    400: Words("That request makes no sense", "Go back, reload the page and try again."),
    403: Words("This is not for your account", "If you should see it, ask an admin of this site."),
    404: Words("There is nothing here", "The address may be mistyped, or it is not yours to see."),
    405: Words("That cannot be done this way", "Go back and use the buttons of the page."),
    410: Words("This is gone", "It was here once and was removed."),
    413: Words("That is too large", "Send a smaller file, at most {limit}."),
    429: Words("Too many attempts", "Wait a few minutes and try again."),
    500: Words(
        "Something went wrong here", "It is not your fault. It was written down; try again in a while."
    ),
}
_OTHER: Final = Words("That did not work", "Go back and try again.")
_EXPIRED: Final = Words(
    "This form is no longer valid", "Reload the page and send it again; you may have to sign in."
)


def init_app(application: Flask) -> None:
    """Answer every error with a page of our own, or with a notice where a fragment was asked for."""
    application.register_error_handler(HTTPException, _show)


class LoggingFlask(Flask):
    """Flask, whose log entry for an accident has the number that the person is shown."""

    def log_exception(self, exc_info: Any) -> None:
        """Write the traceback down under a number."""
        g.error_id = secrets.token_hex(6)
        self.logger.error("error %s at %r [%s]", g.error_id, request.path, request.method, exc_info=exc_info)


def _show(error: HTTPException) -> BaseResponse:
    answer = error.get_response()
    if answer.status_code < 400:  # noqa: PLR2004 - a redirect of the router's
        return answer
    values = {
        "code": answer.status_code,
        "words": _words_for(error),
        "error_id": g.get("error_id") if isinstance(error, InternalServerError) else None,
    }
    response = Response(_render(values), status=answer.status_code, mimetype="text/html")
    _keep_headers(answer, response)
    return response


def _keep_headers(answer: BaseResponse, response: Response) -> None:
    for name in ("Retry-After", "Allow", "WWW-Authenticate"):
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    if is_htmx():
        # Shown above the page, which stays as it is.
        response.headers.update({"HX-Retarget": "#flashes", "HX-Reswap": "innerHTML"})


def _words_for(error: HTTPException) -> Words:
    words = _WORDS.get(error.code or 500, _OTHER)
    if isinstance(error, CSRFError):
        return _EXPIRED
    if isinstance(error, TooManyRequests) and error.description != TooManyRequests.description:
        return words._replace(text=error.description)
    limit = f"{current_app.config['MAX_CONTENT_LENGTH'] // 1024:,} KiB"
    return words._replace(text=words.text.format(limit=limit))


def _render(values: dict[str, object]) -> str:
    """Render the error in the site's frame, or without it when the frame itself cannot be had."""
    try:
        return render_template("errors/_notice.html" if is_htmx() else "errors/error.html", **values)
    except Exception:  # noqa: BLE001 - the database may be gone, the host unknown: the page must appear
        db.session.rollback()
        return current_app.jinja_env.get_template("errors/bare.html").render(values)
