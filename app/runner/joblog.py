"""The lines of background_jobs.log and background_jobs_errors.log, one for each end of an attempt."""

from __future__ import annotations

import json
import sys
from json.encoder import encode_basestring as quoted
from typing import TYPE_CHECKING, Any, Protocol

from app.runner import logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.runner.settings import Settings
    from app.runner.store import Finish


class Named(Protocol):
    """What a line says of a job: a claim knows it, and so does a row."""

    @property
    def class_name(self) -> str:
        """The handler's class."""

    @property
    def method(self) -> str:
        """The handler's method."""

    @property
    def shown_parameters(self) -> str:
        """Its parameters, as people may see them."""


def log_finishes(settings: Settings, ends: Iterable[tuple[Finish, Named | None]]) -> None:
    """Write the line of each attempt that ended: failures to the errors, all else to the jobs."""
    lines: dict[str, list[str]] = {logs.JOBS: [], logs.ERRORS: []}
    for end, claimed in ends:
        name, text = _line(end, claimed)
        lines[name].append(text)
    for name, texts in lines.items():
        _append(settings, name, texts)


def warn(settings: Settings, message: str, context: Mapping[str, Any]) -> None:
    """Write what went wrong with the launcher itself."""
    _append(settings, logs.ERRORS, [logs.line("WARNING", message, context)])


def _append(settings: Settings, name: str, lines: list[str]) -> None:
    try:
        logs.append(settings.log_dir / name, lines)
    except OSError as error:
        # A full disk or a file of somebody else's loses the lines, not the launcher with all that it runs.
        sys.stderr.write(f"{name} cannot be written ({error.strerror}); it would say:\n{''.join(lines)}")


def _line(end: Finish, claimed: Named | None) -> tuple[str, str]:
    handler = f"{claimed.class_name}@{claimed.method}" if claimed else "(rescued)"
    parameters = claimed.shown_parameters if claimed else None
    if end.status == "completed":
        return logs.JOBS, _completed(end, handler, parameters)
    context = {"parameters": parameters, "error": end.error, "status": end.status}
    verb = "retrying" if end.status == "pending" else end.status
    if end.outcome in {"interrupted", "crashed", "snoozed"}:
        verb = end.outcome if end.status == "pending" else end.status
    level, name = ("ERROR", logs.ERRORS) if end.status == "failed" else ("INFO", logs.JOBS)
    message = f"Job {end.job_id} {verb}: {handler}"
    return name, logs.line(level, message, context, at=end.finished_at)


def _completed(end: Finish, handler: str, parameters: str | None) -> str:
    """Put the commonest line together by hand: a short job has not much more time than making it takes."""
    given = "null" if parameters is None else quoted(parameters)
    result = "null" if end.result is None else _dense(end.result)
    text = f'{{"parameters":{given},"result":{result},"status":"completed"}}'
    return logs.line_of("INFO", f"Job {end.job_id} completed: {handler} {text}", at=end.finished_at)


def _dense(result: str) -> str:
    return json.dumps(json.loads(result), ensure_ascii=False, separators=(",", ":"))
