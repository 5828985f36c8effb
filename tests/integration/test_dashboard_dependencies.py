"""Jobs that wait for others, as people see them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from app.runner import queries
from app.runner.models import Dependency, Job
from app.runner.queries import words
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


def blocked(house: House, *ancestors: int, **values: Any) -> int:
    """Store a job that waits for others."""
    job = house.add(waits_for=len(ancestors), **values)
    with house.write() as session:
        session.add_all(Dependency(job_id=job, after_id=each) for each in ancestors)
    return job


def test_a_blocked_job_names_what_it_waits_for(house: House) -> None:
    """Its page says why it waits, links to each job that must end before, and does not offer to start it."""
    first, second = house.add("running"), house.add()
    job = blocked(house, first, second)

    page = house.page(f"/{job}")

    assert f"Waits for 2 jobs to end: {first}, {second}." in page
    assert [] == [each for each in (first, second) if f'href="/background-jobs/{each}"' not in page]
    assert ("blocked" in page, f"/{job}/start" in page, f"/{job}/hold" in page) == (True, False, True)


def test_the_list_says_for_how_many_a_job_waits(house: House) -> None:
    """A row of the list shows the word and the number."""
    blocked(house, house.add("running"))

    page = house.page()

    assert ("is-blocked" in page, "waits for 1 job" in page) == (True, True)


def test_a_held_job_that_waits_cannot_be_started_either(house: House) -> None:
    """Held comes before blocked as a word; what may be done follows from both."""
    job = blocked(house, house.add(), is_held=True)

    with house.read() as session:
        row = queries.get_job(session, job, house.now).row

    assert ("held", ("release", "cancel")) == (row.state, row.verbs)


def test_a_blocked_job_is_ahead_of_nobody(house: House) -> None:
    """Who asks for its place in line is not told of jobs that cannot be claimed."""
    house.launcher()
    blocked(house, house.add("running"), rank=1)
    job = house.add(rank=2)

    with house.read() as session:
        waiting = queries.get_job(session, job, house.now).waiting

    assert "Next in line: it starts as soon as a slot is free." == waiting


def test_a_key_that_is_taken_for_a_time_says_until_when(house: House) -> None:
    """The page of a job shows why another with its key is not enqueued."""
    until = house.now + dt.timedelta(days=1)
    timed = house.add("completed", unique_key="report", unique_slot="report", unique_until=until)
    plain = house.add("completed", unique_key="other")

    assert "taken until <time" in house.page(f"/{timed}")
    assert f"{until:%Y-%m-%d %H:%M:%S}" in house.page(f"/{timed}")
    assert "taken until" not in house.page(f"/{plain}")


def test_a_chain_that_is_retried_in_bulk_keeps_its_order(house: House) -> None:
    """Chosen in whatever order, jobs are retried from the first to the last, so that each waits again."""
    first = house.add("failed")
    second, third = house.add("cancelled"), house.add("cancelled")
    with house.write() as session:
        for job, ancestor in ((second, first), (third, second)):
            session.add(Dependency(job_id=job, after_id=ancestor, is_settled=True))

    house.post("/bulk/retry", {"ids": [str(third), str(first), str(second)]})

    with house.read() as session:
        moment = dt.datetime.now(dt.UTC)
        states = [queries.get_job(session, job, moment).row.state for job in (first, second, third)]
    assert ["pending", "blocked", "blocked"] == states


def test_what_has_ended_already_is_named_too(house: House) -> None:
    """Who looks for what a job waited for finds the done ones beside those that are not."""
    done, open_one = house.add("completed"), house.add("running")
    job = blocked(house, done, open_one)
    with house.write() as session:
        session.get_one(Job, job).waits_for = 1
        session.get_one(Dependency, (job, done)).is_settled = True

    assert f"Waits for job {open_one} to end. Ended already: {done}." in house.page(f"/{job}")


@pytest.mark.parametrize(
    ("ancestors", "number", "sentence"),
    [
        ([7], 1, "Waits for job 7 to end."),
        ([7, 9], 2, "Waits for 2 jobs to end: 7, 9."),
        ([7, 9], 1002, "Waits for 1002 jobs to end: 7, 9, 1,000 more."),
    ],
)
def test_a_sentence_names_the_jobs(ancestors: list[int], number: int, sentence: str) -> None:
    """However many there are, the sentence stays short."""
    assert sentence == words.explain_blocked(ancestors, number)
