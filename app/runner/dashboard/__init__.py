"""The dashboard at /background-jobs: a blueprint that any Flask application can carry.

It needs nothing of its host but a bound runner: no session, no login, no layout. The Flask extension
puts the host's guard before every route of it.
"""

from __future__ import annotations

from app.runner.dashboard import logs, pages, pausing, schedules, verbs
from app.runner.dashboard.web import blueprint

__all__ = ["blueprint", "logs", "pages", "pausing", "schedules", "verbs"]
