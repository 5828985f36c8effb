"""Where to go next: addresses that come from the browser are followed only within this site."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse


def is_htmx() -> bool:
    """Tell whether the request wants a fragment for a page that is open."""
    return request.headers.get("HX-Request") == "true"


def safe_next(target: str | None) -> str | None:
    r"""Give back a path of this site; None for anything a browser might take elsewhere.

    `urlsplit` sees no host in `/\evil.example` and `///evil.example`; browsers do.
    """
    if not target or target[0] != "/" or target[1:2] in {"/", "\\"}:
        return None
    if not target.isprintable() or "\\" in target or "%5c" in target.lower():
        return None
    return target


def go(endpoint: str) -> BaseResponse:
    """Send the browser on after something was done; 303, so that reloading does not do it again."""
    return redirect(url_for(endpoint), code=303)


def to_sign_in() -> BaseResponse:
    """Send somebody who is not signed in to the sign-in page, and back here afterwards.

    A fragment cannot be replaced by the sign-in page: there the whole page goes.
    """
    target = url_for("accounts.sign_in", next=_here())
    if is_htmx():
        return Response("Sign in again.", status=401, headers={"HX-Redirect": target})
    return redirect(target, code=302 if request.method in {"GET", "HEAD"} else 303)


def _here() -> str | None:
    """Name the page the person is on; for a fragment or a form that is where it was sent from."""
    if request.method in {"GET", "HEAD"} and not is_htmx():
        here = request.full_path.rstrip("?")
        return None if here == "/" else safe_next(here)
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    return safe_next(page._replace(scheme="", netloc="", fragment="").geturl())
