"""What is noted of a request before anything of its body is read."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import g, request

from app.academic import bringing

# An assignment may be larger than anything else that people send.
_BRINGS_ASSIGNMENTS: Final = frozenset({"academic.new_assignment", "academic.versions"})


def note_arrival(endpoint: str | None, _values: object) -> None:
    """Keep the time: whoever sends a large file over a slow line just before the deadline is not late."""
    g.arrived_at = dt.datetime.now(dt.UTC)
    if endpoint in _BRINGS_ASSIGNMENTS:
        request.max_content_length = bringing.MAX_BYTES


def arrived_at() -> dt.datetime:
    """When this request came."""
    found: dt.datetime = g.arrived_at
    return found
