"""The runner of this repository, in the smallest Flask application."""

from __future__ import annotations

import os

from flask import Flask

from app.runner import Runner, run_background_job, run_background_jobs

application = Flask(__name__, instance_path=os.environ["BENCH_FOLDER"])
application.config["RUNNER_APPROVED"] = {"bench.apps.noop.Noop": ["handle"]}
application.config.from_prefixed_env()
Runner(application, guard=lambda: True)
application.app_context().push()


def enqueue() -> None:
    """Enqueue one job, committed."""
    run_background_job("bench.apps.noop.Noop", "handle")


def enqueue_many(count: int) -> None:
    """Enqueue jobs in one transaction."""
    run_background_jobs("bench.apps.noop.Noop", "handle", [[]] * count)
