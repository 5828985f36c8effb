"""Headers of every response, errors included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, current_app, request

if TYPE_CHECKING:
    from flask import Flask

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": over HTTPS the CSRF check looks at it.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
_ONE_YEAR: Final = "max-age=31536000; includeSubDomains"


def init_app(application: Flask) -> None:
    """Put the headers on whatever is answered; a view that set one of them has its reason."""
    application.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", current_app.config["CONTENT_SECURITY_POLICY"])
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
    if (request.endpoint or "").rpartition(".")[2] != "static":
        # The same address gives a page or a fragment, and another for each person.
        response.vary.update(("HX-Request", "Cookie"))
        response.headers.setdefault("Cache-Control", "no-store")
    return response
