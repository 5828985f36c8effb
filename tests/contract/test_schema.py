"""The laws that the database keeps by itself, against whoever writes to it by hand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.runner.models import Attempt, Event, Job
from tests.runner_house import Bench, now

NOW = now()
# A CHECK that fails is for MariaDB's driver no matter of integrity.
REFUSED = (IntegrityError, OperationalError)

NONSENSE: dict[str, tuple[str, dict[str, Any]]] = {
    "a status nobody knows": ("pending", {"status": "done"}),
    "an empty status": ("pending", {"status": ""}),
    "finished without an end": ("running", {"status": "completed", "launcher_id": None}),
    "failed without an end": ("running", {"status": "failed", "launcher_id": None}),
    "cancelled without an end": ("pending", {"status": "cancelled"}),
    "an end while waiting": ("pending", {"finished_at": NOW}),
    "an end while running": ("running", {"finished_at": NOW}),
    "waiting again with an end": ("completed", {"status": "pending"}),
    "running without a launcher": ("running", {"launcher_id": None}),
    "running by nobody": ("pending", {"status": "running"}),
    "a launcher while waiting": ("pending", {"launcher_id": "x"}),
    "a launcher after the end": ("failed", {"launcher_id": "x"}),
    "priority 0": ("pending", {"priority": 0}),
    "priority 4": ("pending", {"priority": 4}),
    "fewer attempts than none": ("pending", {"attempts_used": -1}),
    "no attempt allowed": ("pending", {"max_attempts": 0}),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_job_that_cannot_be_is_refused(bench: Bench, name: str) -> None:
    """A row that contradicts itself is not stored, whoever writes it."""
    state, values = NONSENSE[name]
    job = bench.job_in(state)
    before = bench.snapshot()

    with pytest.raises(REFUSED), bench.write() as session:
        session.execute(update(Job).where(Job.id == job).values(values))

    assert before == bench.snapshot()


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "done", "finished_at": NOW},
        {"outcome": "completed"},
        {"finished_at": NOW},
        {"outcome": "completed", "finished_at": NOW, "number": 1},
    ],
    ids=["unknown", "no end", "an end while running", "a number twice"],
)
def test_an_attempt_that_cannot_be_is_refused(bench: Bench, values: dict[str, Any]) -> None:
    """An attempt has one of the outcomes, an end if and only if it is over, and a number of its own."""
    job = bench.job_in("running")
    before = bench.snapshot()
    row = {"job_id": job, "number": 2, "outcome": "running", "started_at": NOW} | values

    with pytest.raises(REFUSED), bench.write() as session:
        session.execute(insert(Attempt).values(row))

    assert before == bench.snapshot()


@pytest.mark.parametrize("model", [Attempt, Event])
def test_a_history_belongs_to_a_job(bench: Bench, model: Any) -> None:
    """Neither an attempt nor an event is stored for a job that does not exist."""
    attempt = {"number": 1, "outcome": "running", "started_at": NOW}
    event = {"at": NOW, "actor": "ada", "name": "held", "before": "pending", "after": "held"}
    row = {"job_id": 10**6} | (attempt if model is Attempt else event)

    with pytest.raises(IntegrityError), bench.write() as session:
        session.execute(insert(model).values(row))

    assert {} == bench.snapshot()


def test_two_unfinished_jobs_cannot_share_a_key(bench: Bench) -> None:
    """Uniqueness is the database's to keep, not a promise of the code before it."""
    bench.enqueue(unique_key="report")
    other = bench.enqueue()

    with pytest.raises(IntegrityError), bench.write() as session:
        session.execute(update(Job).where(Job.id == other).values(unique_slot="report"))


def test_a_naive_time_is_refused(bench: Bench) -> None:
    """A time without a zone is a mistake of the caller's and never reaches a row."""
    job = bench.enqueue()

    with pytest.raises(Exception, match="a naive time reached the database"), bench.write() as session:
        session.execute(update(Job).where(Job.id == job).values(run_at=NOW.replace(tzinfo=None)))
