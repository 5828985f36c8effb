"""The Flask application inside of a job's process; imported only where a handler uses Flask."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING

from flask import has_app_context
from flask.cli import ScriptInfo

from app.runner import binding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask


@cache
def load(path: str) -> Flask:
    """Load the application as `flask --app PATH` does; without a path from wsgi.py or app.py."""
    application = ScriptInfo(app_import_path=path or None).load_app()
    with application.app_context():
        # Loaded before a fork: connections made now must not be shared by what is forked.
        binding.current().engine.dispose()
    return application


@contextlib.contextmanager
def entered(path: str) -> Iterator[None]:
    """Enter the application's context, unless one is there already (a job run by hand)."""
    if has_app_context():
        yield
        return
    context = load(path).app_context()
    context.push()
    try:
        yield
    finally:
        # Entered inside of an event loop, it went with that.
        if has_app_context():
            context.pop()
