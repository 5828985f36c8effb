"""One job: everything its page shows, and why it waits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from app.runner import queries
from app.runner.errors import JobNotFound
from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


def detail(house: House, job_id: int) -> queries.JobDetail:
    """Ask for a job of a house."""
    with house.read() as session:
        return queries.get_job(session, job_id, house.now)


def test_a_job_that_is_not_there_is_said_so(house: House) -> None:
    """A number without a job is an error, not an empty answer."""
    with pytest.raises(JobNotFound, match="there is no job 7"):
        detail(house, 7)


def test_the_timeline_merges_attempts_and_events_newest_first(house: House) -> None:
    """What people did and what the runner did stand in one order."""
    at = [house.now + dt.timedelta(seconds=number) for number in range(5)]
    job = house.add("failed", created_at=at[0], created_by="bob", attempt=1, attempts_used=1)
    house.event(job, "held", at=at[1])
    house.event(job, "released", at=at[2], after="pending")
    house.attempt(job, 1, "failed", started_at=at[3], finished_at=at[4], error="boom", host="ithaca", pid=7)

    told = [(moment.title, moment.actor, moment.note) for moment in detail(house, job).timeline]

    assert [
        ("Attempt 1 failed", None, "boom"),
        ("Attempt 1 started", None, "ithaca, process 7"),
        ("Released", "eve@example.com", None),
        ("Held", "eve@example.com", None),
        ("Enqueued", "bob", None),
    ] == told


def test_secrets_are_not_shown(house: House) -> None:
    """What the job needs and people must not see stays hidden, whatever its shape."""
    masked = house.add(parameters='["hunter2"]', shown_parameters='["***"]')
    named = house.add(parameters='{"api_token": "hunter2", "nested": [{"password": "hunter2"}]}')

    assert '["***"]' == detail(house, masked).full_parameters
    assert '{"api_token": "***", "nested": [{"password": "***"}]}' == detail(house, named).full_parameters


def test_control_characters_are_made_visible(house: House) -> None:
    """What a job writes cannot repaint the page or turn its direction."""
    job = house.add("failed", error="a\x1b[31mb\u202ec\0"[:-1], attempt=1, attempts_used=1)

    assert "a\\x1b[31mb\\u202ec" == detail(house, job).full_error


def test_the_end_of_a_process_is_named(house: House) -> None:
    """A signal has its name, an exit its code."""
    job = house.add("failed", attempt=3, attempts_used=3, max_attempts=3)
    house.attempt(job, 1, "retrying", exit_code=1)
    house.attempt(job, 2, "retrying", signal=9)
    house.attempt(job, 3, "failed", signal=64)

    assert ["exit 1", "SIGKILL", "SIGRTMAX"] == [each.ended_by for each in detail(house, job).attempts]


def test_nobody_waits_without_a_reason(house: House) -> None:
    """Each kind of waiting has its sentence."""
    later = house.now + dt.timedelta(seconds=90)
    held = house.add(is_held=True)
    scheduled = house.add(run_at=later)
    retrying = house.add(run_at=later, attempt=1, attempts_used=1, max_attempts=3)
    due = house.add(rank=5)

    assert "Held by a person until someone releases it." == detail(house, held).waiting
    assert "Scheduled: may start in 1 min 30 s" in str(detail(house, scheduled).waiting)
    assert "Waits 1 min 30 s after its last attempt failed" in str(detail(house, retrying).waiting)
    assert "No launcher is alive" in str(detail(house, due).waiting)


def test_a_due_job_is_told_its_place(house: House) -> None:
    """Jobs ahead are those that are due, not held, and claimed before."""
    house.launcher()
    later = house.now + dt.timedelta(seconds=90)
    house.add(rank=1)
    house.add(rank=2, is_held=True)
    house.add(rank=3, run_at=later)
    job = house.add(rank=4)
    house.add(rank=5)

    assert "1 job is ahead of it." == detail(house, job).waiting


def test_the_first_in_line_is_told_so(house: House) -> None:
    """With nothing ahead and a launcher alive only a free slot is missing."""
    house.launcher()
    job = house.add()

    assert "Next in line" in str(detail(house, job).waiting)


@pytest.mark.parametrize("status", ["running", "completed", "failed", "cancelled"])
def test_what_does_not_wait_has_no_reason_to(house: House, status: str) -> None:
    """Only pending jobs wait."""
    house.launcher()

    assert None is detail(house, house.add(status)).waiting


def test_a_running_job_whose_launcher_is_silent_is_stale(house: House) -> None:
    """A job is only as alive as its launcher."""
    house.launcher(silent_seconds=60)
    job = house.add("running")

    assert "stale" == detail(house, job).row.state
