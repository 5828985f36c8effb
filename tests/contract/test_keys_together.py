"""The law of unique keys under two writers: neither is refused, and each key is held by one job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.runner import run_background_job
from app.runner.models import Job
from tests.runner_house import WORK

if TYPE_CHECKING:
    from tests.runner_house import Bench

# On MariaDB about every second round of two writers ended in a deadlock, with different keys too.
ROUNDS = 15


@pytest.mark.parametrize("mine", ["", "-{}"], ids=["same keys", "different keys"])
def test_two_writers_with_unique_keys_do_not_refuse_each_other(bench: Bench, mine: str) -> None:
    """In transactions of their own, at the isolation that a host has by default, both commit."""
    refused: list[Exception] = []
    together = threading.Barrier(2)

    def writer(number: int) -> None:
        for turn in range(ROUNDS):
            together.wait(30)
            try:
                enqueue_two(bench, f"key {turn}{mine.format(number)}")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not to be
                refused.append(error)

    threads = [threading.Thread(target=writer, args=(number,)) for number in (1, 2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)

    assert [] == refused
    with bench.read() as session:
        held = list(session.scalars(select(Job.unique_slot)))
    assert (2 if not mine else 4) * ROUNDS == len(set(held)) == len(held)


def enqueue_two(bench: Bench, key: str) -> None:
    """Enqueue two jobs with keys in a transaction as a host opens it."""
    with Session(bench.bound.engine) as session, session.begin():
        run_background_job(WORK, "handle", unique_key=key, session=session)
        run_background_job(WORK, "handle", unique_key=f"{key}, second", session=session)
