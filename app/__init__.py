"""The course site and, in `app.runner`, the background job runner it is built on.

Nothing is imported here: every job's process passes through this package, and a
process that only runs a job must not pay for Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """Build the course site with the runner on it.

    `config` overrides what the defaults and the environment say; tests use it.
    Raises `app.runner.errors.SettingsError` when a setting is not usable.
    """
    import logging

    # Alembic tells of each of its plugins at import, which would be in the log of every job.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    from app.web import build_application

    return build_application(config)
