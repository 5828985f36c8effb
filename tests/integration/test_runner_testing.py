"""What the runner gives to the tests of other applications."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, g
from flask_sqlalchemy import SQLAlchemy

from app.runner import (
    Retry,
    Runner,
    Snooze,
    binding,
    current_job,
    job_ancestors,
    run_background_batch,
    run_background_job,
    store,
)
from app.runner.models import Job, metadata
from app.runner.testing import assert_enqueued, assert_nothing_enqueued, enqueued_jobs, run_inline
from tests.runner_house import host

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
DONE: list[Any] = []


class Shop:
    """Does what the tests look for."""

    def note(self, what: Any) -> Any:
        """Leave a trace."""
        DONE.append(what)
        return what

    def third_time(self) -> int:
        """Fail twice."""
        DONE.append(current_job.attempt)
        current_job.progress(current_job.attempt, 3)
        if current_job.attempt < 3:
            raise Retry("not yet", delay=3600)
        return current_job.attempt

    def never(self) -> None:
        """Put it off for ever."""
        DONE.append("never")
        raise Snooze(3600)

    def enqueue(self, what: str) -> None:
        """Leave the work to another job."""
        run_background_job(Shop, "note", [what])

    def context(self) -> bool:
        """Say whether something of the test's context can be seen."""
        return "of the test" in g

    def summary(self) -> None:
        """Look at what the batch came to."""
        DONE.append([(each.status, each.result) for each in job_ancestors(current_job.id)])

    def fail(self) -> None:
        """Fail."""
        raise ValueError("it broke")


SHOP = {f"{__name__}.Shop": ["note", "third_time", "never", "enqueue", "context", "summary", "fail"]}


@pytest.fixture(autouse=True)
def application(tmp_path: Path) -> Iterator[Flask]:
    """Give an application with an empty database of the runner's own, and its context."""
    DONE.clear()
    made = host(tmp_path, RUNNER_APPROVED=SHOP)
    with made.app_context():
        yield made
        binding.current().engine.dispose()


def job(job_id: int) -> Job:
    """Read a job."""
    with binding.current().read() as session:
        return session.get_one(Job, job_id)


def test_jobs_run_at_the_end_of_the_block_in_order(application: Flask) -> None:
    """Not before; priority and delay do not change the order of their enqueue."""
    with run_inline():
        jobs = [
            run_background_job(Shop, "note", [text], priority=priority, delay=delay).id
            for text, priority, delay in [("first", 3, 0), ("second", 2, 3600), ("third", 1, 0)]
        ]
        assert [] == DONE

    assert ["first", "second", "third"] == DONE
    assert {("completed", 1)} == {(job(each).status, job(each).attempt) for each in jobs}


def test_jobs_from_before_the_block_stay(application: Flask) -> None:
    """What other tests, or the setting up, left waiting is not run."""
    run_background_job(Shop, "note", ["before"])

    with run_inline():
        run_background_job(Shop, "note", ["inside"])

    assert ["inside"] == DONE
    assert 1 == len(enqueued_jobs())


def test_nothing_runs_if_the_block_raises(application: Flask) -> None:
    """A test that has failed is not followed by its jobs."""

    def fail_in_the_block() -> None:
        with run_inline():
            run_background_job(Shop, "note", ["inside"])
            raise ValueError("of the test")

    with pytest.raises(ValueError, match="of the test"):
        fail_in_the_block()

    assert [] == DONE


def test_retries_are_not_waited_for(application: Flask) -> None:
    """A job is tried as often as it may be, at once, and its history is as in production."""
    with run_inline():
        tried = run_background_job(Shop, "third_time", retries=2).id
        given_up = run_background_job(Shop, "fail", retries=1).id

    assert [1, 2, 3] == DONE
    assert ("completed", "3", 3) == (job(tried).status, job(tried).result, job(tried).progress_done)
    assert ("failed", 2, "ValueError: it broke") == (
        job(given_up).status,
        job(given_up).attempt,
        job(given_up).error,
    )


def test_a_job_runs_no_more_often_than_is_allowed(application: Flask) -> None:
    """What is put off for ever does not hang the test."""
    with run_inline(most_attempts=3):
        never = run_background_job(Shop, "never").id

    assert (["never"] * 3, "pending") == (DONE, job(never).status)


def test_what_jobs_enqueue_runs_too(application: Flask) -> None:
    """One job that leaves the work to another is followed by that."""
    with run_inline():
        run_background_job(Shop, "enqueue", ["left"])

    assert ["left"] == DONE


def test_jobs_wait_for_others_and_batches_call_back(application: Flask) -> None:
    """Dependencies hold: the callback runs last and sees what became of the others."""
    with run_inline():
        one = {"cls": Shop, "method": "note", "parameters": [1]}
        run_background_batch(
            [one, one | {"method": "fail", "parameters": [], "retries": 0}],
            callback={"cls": Shop, "method": "summary"},
        )

    assert [1, [("completed", 1), ("failed", None)]] == DONE


def test_held_jobs_stay(application: Flask) -> None:
    """A job that a person holds is not run, and does not hang the test."""
    with run_inline():
        held = run_background_job(Shop, "note", ["held"]).id
        with binding.current().write() as session:
            store.hold(session, held, actor="ada")

    assert ([], "pending") == (DONE, job(held).status)


def test_jobs_can_be_run_sooner(application: Flask) -> None:
    """Whoever needs them in the middle runs them there, and learns which ran."""
    with run_inline() as inline:
        first = run_background_job(Shop, "note", ["first"]).id
        assert [first] == inline.run()
        second = run_background_job(Shop, "note", ["second"]).id
        assert [second] == inline.run()

    assert ["first", "second"] == DONE


def test_a_job_does_not_share_the_context_of_the_test(application: Flask) -> None:
    """What the test keeps in its context is not there for the handler, as in production."""
    setattr(g, "of the test", 1)
    with run_inline():
        looking = run_background_job(Shop, "context").id

    assert "false" == job(looking).result


def test_a_job_that_is_enqueued_is_found(application: Flask) -> None:
    """By class or name, with or without its parameters, whatever their form."""
    other = run_background_job(Shop, "note", ["other"])
    wanted = run_background_job(Shop, "note", {"what": [1]})

    assert other.id == assert_enqueued(Shop, "note").id
    assert wanted.id == assert_enqueued(f"{__name__}.Shop", "note", {"what": [1]}).id
    assert wanted.id == assert_enqueued(Shop, "note", parameters='{"what": [1]}').id
    assert [other.id, wanted.id] == [each.id for each in enqueued_jobs()]


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("note", {"parameters": ["b"]}, 'Shop@note \\["b"\\]\nenqueued:\n  job 1: .*Shop@note \\["a"\\]'),
        ("note", {"parameters": None}, "Shop@note \\[\\]\nenqueued:\n"),
        ("fail", {}, "not enqueued: .*Shop@fail\nenqueued:\n  job 1: "),
    ],
)
def test_a_job_that_is_not_enqueued_is_missed(
    application: Flask, method: str, options: dict[str, Any], said: str
) -> None:
    """The failure names what was wanted, and lists what there is."""
    run_background_job(Shop, "note", ["a"])

    with pytest.raises(AssertionError, match=said):
        assert_enqueued(Shop, method, **options)


def test_nothing_enqueued_is_said_to_be_nothing(application: Flask) -> None:
    """Neither an empty table nor a job that has ended is something that waits."""
    with pytest.raises(AssertionError, match=r"not enqueued: .*Shop@note\nnothing is enqueued"):
        assert_enqueued(Shop, "note")
    assert_nothing_enqueued()

    with run_inline():
        run_background_job(Shop, "note", [1])
    assert_nothing_enqueued()

    run_background_job(Shop, "note", [2])
    with pytest.raises(AssertionError, match="nothing should be enqueued\nenqueued:\n  job 2: "):
        assert_nothing_enqueued()


def test_the_transaction_of_the_application_counts(tmp_path: Path) -> None:
    """Jobs not committed yet are seen by the asserts, are not run if rolled back, and not waited for."""
    made = Flask("shop", root_path=str(tmp_path), instance_path=str(tmp_path / "own"))
    made.config.update(SQLALCHEMY_DATABASE_URI="sqlite:///shop.db", RUNNER_APPROVED=SHOP)
    (tmp_path / "own").mkdir()
    database = SQLAlchemy(made, metadata=metadata)
    Runner(made)
    with made.app_context():
        with run_inline() as inline:
            run_background_job(Shop, "note", ["first"])
            assert_enqueued(Shop, "note", ["first"])
            with pytest.raises(RuntimeError, match="commit before"):
                inline.run()
            database.session.rollback()
        database.session.rollback()
        assert_nothing_enqueued()

        with run_inline():
            run_background_job(Shop, "note", ["second"])
            database.session.commit()
        database.session.remove()
        database.engine.dispose()

    assert ["second"] == DONE


def test_the_example_of_the_documentation_is_a_test_that_passes(tmp_path: Path) -> None:
    """What docs/testing.md shows can be copied, and works."""
    (example,) = re.findall(r"```python\n(.*?)```", (TOP / "docs/testing.md").read_text(), re.DOTALL)
    (tmp_path / "test_shop.py").write_text(example)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(TOP), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 passed" in done.stdout
