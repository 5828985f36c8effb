"""The laws of a job that takes the place of one that waits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.runner import run_background_job, store
from app.runner.errors import ValidationError
from app.runner.models import FIRST_LANE, Event, Job
from tests.runner_house import HOST, LAUNCHER, STATES, WORK

if TYPE_CHECKING:
    from tests.runner_house import Bench

WAITING = ("pending", "scheduled", "held", "retrying")


@pytest.mark.parametrize("state", WAITING)
def test_what_waits_is_cancelled_and_says_for_which(bench: Bench, state: str) -> None:
    """The old job ends as cancelled, with one event that names the new one; the new one waits."""
    old = bench.job_in(state)
    new = bench.enqueue(replaces=old)

    job = bench.job(old)
    assert ("cancelled", f"replaced by job {new}") == (job.status, job.error)
    assert "pending" == bench.job(new).status
    with bench.read() as session:
        event = session.scalars(select(Event).where(Event.job_id == old).order_by(Event.id.desc())).first()
        assert event is not None
        assert ("runner", "cancelled", state) == (event.actor, event.name, event.before)
        assert f"replaced by job {new}" == event.note


@pytest.mark.parametrize("state", [state for state in STATES if state not in WAITING])
def test_what_has_begun_goes_on(bench: Bench, state: str) -> None:
    """A job that runs or has ended is left as it is, and the new one is an ordinary job."""
    old = bench.job_in(state)
    before = bench.job(old)
    new = bench.enqueue(replaces=old)

    after = bench.job(old)
    assert (before.status, before.finished_at, before.error) == (after.status, after.finished_at, after.error)
    assert bench.job(new).run_at > before.run_at


def test_a_job_that_is_gone_replaces_nothing(bench: Bench) -> None:
    """A number without a job, pruned perhaps, is no error: there is no place to take."""
    assert "pending" == bench.job(bench.enqueue(replaces=987_654)).status


def test_the_new_one_stands_where_the_old_one_stood(bench: Bench) -> None:
    """Whoever came in between is still behind it."""
    first = bench.enqueue()
    second = bench.enqueue()
    third = bench.enqueue(replaces=first)

    with bench.write() as session:
        claimed = [each.job_id for each in store.claim(session, LAUNCHER, HOST, 5)]
    assert [third, second] == claimed


def test_no_place_is_lost_by_a_delay(bench: Bench) -> None:
    """Due is the earlier of both; a scheduled job that is replaced by one without delay is due at once."""
    soon, late = bench.enqueue(), bench.enqueue(delay=600)
    first, second = bench.enqueue(replaces=soon, delay=600), bench.enqueue(replaces=late)

    assert bench.job(soon).run_at == bench.job(first).run_at
    assert bench.job(second).run_at < bench.job(late).run_at - dt.timedelta(seconds=500)


def test_its_own_priority_counts(bench: Bench) -> None:
    """A place is a time in line; what the priority makes of that is the new job's own."""
    old = bench.enqueue(priority=1)
    new = bench.job(bench.enqueue(replaces=old, priority=3))
    assert (3, 3) == (new.priority, new.lane)
    assert new.rank > bench.job(old).rank


def test_what_a_person_did_to_the_old_one_holds(bench: Bench) -> None:
    """A held job's successor is held; one that was sent ahead is succeeded ahead."""
    assert bench.job(bench.enqueue(replaces=bench.job_in("held"))).is_held
    old = bench.enqueue()
    with bench.write() as session:
        store.start_now(session, old, actor="ada")
    new = bench.job(bench.enqueue(replaces=old))
    assert (FIRST_LANE, bench.job(old).rank) == (new.lane, new.rank)


def test_the_key_of_the_old_one_is_free_for_the_new_one(bench: Bench) -> None:
    """A job may take the place of the one that holds its key."""
    old = bench.enqueue(unique_key="report")
    new = bench.enqueue(unique_key="report", replaces=old)
    assert new != old
    assert (None, "report") == (bench.job(old).unique_slot, bench.job(new).unique_slot)


def test_what_waited_for_the_old_one_is_settled(bench: Bench) -> None:
    """As with any cancel: what is not to run after a cancelled job is cancelled, the rest goes on."""
    old = bench.enqueue()
    strict, easy = bench.enqueue(after=[old]), bench.enqueue(after=[old], after_failed="run")
    bench.enqueue(replaces=old)
    assert ("cancelled", "pending", 0) == (
        bench.job(strict).status,
        bench.job(easy).status,
        bench.job(easy).waits_for,
    )


def test_nothing_is_replaced_by_what_is_rolled_back(bench: Bench) -> None:
    """Old and new change together or not at all."""
    old = bench.enqueue()
    with pytest.raises(RuntimeError), bench.write() as session:  # noqa: PT012 - the rollback is the point
        run_background_job(WORK, "handle", replaces=old, session=session)
        raise RuntimeError("the power is out")
    assert "pending" == bench.job(old).status
    with bench.read() as session:
        assert [old] == list(session.scalars(select(Job.id)))


@pytest.mark.parametrize("wrong", [0, -1, "1", 1.5, True, 2**63, [1]])
def test_what_is_no_job_is_refused(bench: Bench, wrong: object) -> None:
    """Only a job or its number can be replaced."""
    with pytest.raises(ValidationError, match="replaces: must be a job or its number"):
        bench.enqueue(replaces=wrong)
