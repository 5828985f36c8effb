"""What became of jobs, for programs: the result of one, the outcomes of those that a job waited for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import select

from app.runner import binding
from app.runner.errors import JobNotCompleted, JobNotFound
from app.runner.logs import attempt_log_path
from app.runner.models import Dependency, Job


class Outcome(NamedTuple):
    """A job, as what comes after it sees it."""

    id: int
    status: str
    # What its handler returned; None where it did not complete.
    result: Any
    error: str | None


def job_result(job_id: int) -> Any:
    """Give what the handler of a completed job returned.

    Raises:
        JobNotFound: There is no job with that number.
        JobNotCompleted: It has not completed (yet); the error says what it is instead.
    """
    with binding.current().read() as session:
        row = session.execute(select(Job.status, Job.result).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    if row.status != "completed":
        raise JobNotCompleted(job_id, row.status)
    return _value(row.result)


def job_output(job_id: int, *, limit: int = 65_536) -> str:
    """Give what the job's latest attempt wrote, of a long output the last `limit` bytes.

    Raises:
        JobNotFound: There is no job with that number.
    """
    bound = binding.current()
    with bound.read() as session:
        attempt = session.execute(select(Job.attempt).where(Job.id == job_id)).scalar_one_or_none()
    if attempt is None:
        raise JobNotFound(job_id)
    path = attempt_log_path(bound.settings.log_dir, job_id, attempt)
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - limit))
            return log.read(limit).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ""


def job_ancestors(job_id: int) -> list[Outcome]:
    """Give the jobs that a job was told to wait for, in order of their numbers; without the pruned."""
    statement = (
        select(Job.id, Job.status, Job.result, Job.error)
        .join(Dependency, Dependency.after_id == Job.id)
        .where(Dependency.job_id == job_id)
        .order_by(Job.id)
    )
    with binding.current().read() as session:
        rows = session.execute(statement).all()
    return [
        Outcome(row.id, row.status, _value(row.result) if row.status == "completed" else None, row.error)
        for row in rows
    ]


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
