"""Batches: several jobs, and one that runs once when all of them have ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.runner import binding, store
from app.runner.api import joined, request_of
from app.runner.errors import Problem, ValidationError
from app.runner.validator import MAX_AFTER, Request, ValidJob, validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from app.runner.binding import Binding
    from app.runner.models import Job

# Given by the batch itself.
_ITS_OWN: Final = {"after", "after_failed"}


class Batch(NamedTuple):
    """What was enqueued."""

    jobs: list[Job]
    callback: Job


def run_background_batch(
    requests: Iterable[Mapping[str, Any]], *, callback: Mapping[str, Any], session: Session | None = None
) -> Batch:
    """Enqueue several jobs, and a callback job that runs once when all of them have ended.

    Args:
        requests: For each job the arguments of `run_background_job`, as a dict: `cls`, `method`,
            `parameters` and the options.
        callback: The same for the callback. It runs whatever became of the others, and finds them with
            `job_ancestors(current_job.id)`.
        session: As in `run_background_job`.

    Raises:
        ValidationError: Something is wrong with one of them; every problem is listed, nothing is stored.
    """
    bound = binding.current()
    jobs, last = _validated(list(requests), callback, bound)
    with joined(session, bound) as own, own.begin_nested():
        stored = store.enqueue_all(own, jobs, bound.settings, created_by=bound.actor())
        ids = tuple(dict.fromkeys(job.id for job in stored))
        waiting = last._replace(after=ids, after_failed="run")
        return Batch(stored, store.enqueue(own, waiting, bound.settings, created_by=bound.actor()))


def _validated(
    requests: list[Mapping[str, Any]], callback: Mapping[str, Any], bound: Binding
) -> tuple[list[ValidJob], ValidJob]:
    problems: list[Problem] = []
    if len(requests) > MAX_AFTER:
        problems.append(Problem("requests", f"must be at most {MAX_AFTER} jobs, not {len(requests)}"))
    jobs = [_valid(f"requests[{place}]", each, bound, problems) for place, each in enumerate(requests)]
    last = _valid("callback", callback, bound, problems)
    problems += [
        Problem(f"callback.{name}", "is the batch's to say")
        for name in sorted(_ITS_OWN)
        if isinstance(callback, Mapping) and name in callback
    ]
    if problems or last is None:
        raise ValidationError(problems)
    return [job for job in jobs if job is not None], last


def _valid(field: str, given: Mapping[str, Any], bound: Binding, problems: list[Problem]) -> ValidJob | None:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        problems.append(Problem(field, "must be a dict with the arguments of run_background_job"))
        return None
    try:
        return validate(_request(given), bound.registry, bound.settings)
    except ValidationError as refused:
        problems += [Problem(f"{field}.{each.field}", each.message) for each in refused.problems]
        return None


def _request(given: Mapping[str, Any]) -> Request:
    rest = dict(given)
    return request_of(rest.pop("cls", None), rest.pop("method", None), rest.pop("parameters", None), rest)
