"""The laws of the caller's session: a job that was enqueued in it is an object of it like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from app.runner import run_background_job, wake
from app.runner.models import Job, JobClass
from tests.runner_house import WORK, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def session(bench: Bench) -> Iterator[Session]:
    """Give a session as a host application has one."""
    with Session(bench.bound.engine) as made:
        yield made


KEYS = pytest.mark.parametrize("options", [{}, {"unique_key": "report"}], ids=["plain", "unique"])


@KEYS
def test_the_job_is_the_sessions_own(bench: Bench, session: Session, options: dict[str, Any]) -> None:
    """Before and after the commit the session knows one object by its number, as it is stored."""
    del bench
    job = run_background_job(WORK, "handle", ["a"], session=session, **options)
    stored = session.execute(select(Job.__table__)).mappings().one()

    assert {name: getattr(job, name) for name in stored} == dict(stored)
    assert inspect(job).persistent
    assert session.get(Job, job.id) is job
    assert [job] == list(session.scalars(select(Job)))
    session.commit()
    assert ("pending", '["a"]') == (job.status, job.parameters)
    assert session.get(Job, job.id) is job


def test_nothing_is_read_back_to_look_at_a_new_job(bench: Bench) -> None:
    """Every column is there, without a session and without a statement."""
    job = run_background_job(WORK, "handle", ["a"], priority=1)

    values = {column.key: getattr(job, column.key) for column in Job.__table__.columns}
    stored = bench.snapshot()[Job.__tablename__, job.id]
    assert stored == values
    assert inspect(job).detached
    with pytest.raises(DetachedInstanceError):
        _ = job.attempts


def test_what_is_changed_on_the_job_is_stored(bench: Bench, session: Session) -> None:
    """The object is watched: a change is written at the commit, and nothing else is."""
    job = run_background_job(WORK, "handle", session=session)
    assert not session.dirty
    job.progress_message = "mine"
    session.commit()

    assert "mine" == bench.job(job.id).progress_message


@KEYS
def test_a_rollback_makes_it_a_job_that_never_was(
    bench: Bench, session: Session, options: dict[str, Any]
) -> None:
    """After a rollback the object can still be looked at, is nobody's, and its number finds nothing."""
    job = run_background_job(WORK, "handle", session=session, **options)
    number = job.id
    session.rollback()

    assert inspect(job).transient
    assert (number, "pending") == (job.id, job.status)
    assert session.get(Job, number) is None
    assert {} == bench.snapshot()


def test_a_savepoint_that_is_given_up_takes_its_jobs_with_it(bench: Bench, session: Session) -> None:
    """What was enqueued before the savepoint stays, with its object; what came after is gone."""
    first = run_background_job(WORK, "handle", session=session)
    savepoint = session.begin_nested()
    second = run_background_job(WORK, "handle", session=session)
    savepoint.rollback()

    assert (True, True) == (inspect(first).persistent, inspect(second).transient)
    session.commit()
    assert [first.id] == [key for _, key in bench.snapshot()]


def test_a_released_savepoint_is_part_of_the_transaction(bench: Bench, session: Session) -> None:
    """A rollback of the whole takes what a savepoint had brought in, too."""
    with session.begin_nested():
        job = run_background_job(WORK, "handle", session=session)
    session.rollback()

    assert inspect(job).transient
    assert {} == bench.snapshot()


@KEYS
def test_the_callers_own_rows_are_stored_first(
    bench: Bench, session: Session, options: dict[str, Any]
) -> None:
    """What the caller added is in the database when the job is, even where nothing is flushed by itself."""
    with session.no_autoflush:
        session.add(JobClass(name="a.B"))
        job = run_background_job(WORK, "handle", session=session, **options)
        counted = session.scalar(select(func.count()).select_from(JobClass))

    assert not session.new
    assert 1 == counted
    session.commit()
    assert job.id == bench.job(job.id).id


def test_only_a_commit_with_jobs_wakes(
    bench: Bench, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that has enqueued once does not wake launchers for ever after."""
    del bench
    wakes: list[object] = []
    monkeypatch.setattr(wake, "send", wakes.append)

    run_background_job(WORK, "handle", session=session)
    session.commit()
    session.add(JobClass(name="a.B"))
    session.commit()

    assert 1 == len(wakes)
