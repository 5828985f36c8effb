"""A background job runner for Flask that needs nothing but Python to start.

Host applications import these names and nothing else of the runner. They resolve
on first use: a job's own process imports this package, and most of it is of no use there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.runner.api import run_background_job, run_background_jobs
    from app.runner.batches import run_background_batch
    from app.runner.errors import Abort, Retry, RunnerError, Snooze, ValidationError
    from app.runner.exec import current_job
    from app.runner.extension import Runner
    from app.runner.results import job_ancestors, job_output, job_result

__all__ = [
    "Abort",
    "Retry",
    "Runner",
    "RunnerError",
    "Snooze",
    "ValidationError",
    "current_job",
    "job_ancestors",
    "job_output",
    "job_result",
    "run_background_batch",
    "run_background_job",
    "run_background_jobs",
]

_HOME = {
    "Abort": "errors",
    "Retry": "errors",
    "Runner": "extension",
    "RunnerError": "errors",
    "Snooze": "errors",
    "ValidationError": "errors",
    "current_job": "exec",
    "job_ancestors": "results",
    "job_output": "results",
    "job_result": "results",
    "run_background_batch": "batches",
    "run_background_job": "api",
    "run_background_jobs": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
