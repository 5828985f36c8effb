"""Requests that no browser makes: refused before anything else looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from flask import abort, request

if TYPE_CHECKING:
    from flask import Flask

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def init_app(application: Flask) -> None:
    """Look at every request before all others do."""
    application.before_request(_refuse_nonsense)


def _refuse_nonsense() -> None:
    """Answer 400 for paths, queries and forms that are not UTF-8 or hold a NUL, which PostgreSQL refuses."""
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")
    for what, raw in (("address", path), ("query", unquote_to_bytes(request.query_string))):
        if not _is_text(raw):
            abort(400, f"The {what} is not valid text.")
    if request.method in {"POST", "PUT", "PATCH"} and request.mimetype in _FORMS:
        values = (text for pair in request.form.items(multi=True) for text in pair)
        if any("\0" in text for text in values):
            abort(400, "The form holds a character that cannot be kept.")


def _is_text(raw: bytes) -> bool:
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False
