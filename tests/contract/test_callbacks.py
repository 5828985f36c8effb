"""The laws of batches: stored whole or not at all, and called back once, whatever became of the jobs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.runner import job_ancestors, job_result, run_background_batch
from app.runner.errors import JobNotCompleted, JobNotFound, ValidationError
from tests.runner_house import STATES, WORK, Bench, end

ONE: dict[str, Any] = {"cls": WORK, "method": "handle"}


def batch(bench: Bench, *requests: dict[str, Any]) -> tuple[list[int], int]:
    """Store a batch, and give the numbers of its jobs and its callback."""
    with bench.write() as session:
        made = run_background_batch(requests, callback=ONE, session=session)
        return [job.id for job in made.jobs], made.callback.id


def claimed(bench: Bench) -> list[int]:
    """Claim what is due."""
    return [each.job_id for each in bench.claim()]


def test_the_callback_runs_once_after_all_whatever_became_of_them(bench: Bench) -> None:
    """Completed, failed, cancelled: the callback is due when the last has ended, not before."""
    jobs, callback = batch(bench, ONE, ONE, ONE)
    assert jobs == claimed(bench)

    for job, status in zip(jobs, ("completed", "failed", "cancelled"), strict=True):
        assert [] == claimed(bench)
        bench.finish(end(job, status=status))

    assert ([callback], []) == (claimed(bench), claimed(bench))


def test_a_batch_of_nothing_calls_back_at_once(bench: Bench) -> None:
    """Who splits work into no parts still hears that it is over."""
    jobs, callback = batch(bench)

    assert ([], [callback]) == (jobs, claimed(bench))


def test_jobs_of_a_batch_have_the_options_of_jobs(bench: Bench) -> None:
    """Each dict means what it means to run_background_job."""
    (job,), _ = batch(bench, ONE | {"parameters": {"n": 2}, "priority": 1, "retries": 5, "timeout": 9})

    found = bench.job(job)

    assert ('{"n": 2}', 1, 7, 9.0) == (
        found.parameters,
        found.priority,
        found.max_attempts,
        found.timeout_seconds,
    )


def test_two_jobs_of_one_key_are_one(bench: Bench) -> None:
    """The callback waits for the holder of the key, once."""
    jobs, callback = batch(bench, ONE | {"unique_key": "k"}, ONE | {"unique_key": "k"})

    assert jobs[0] == jobs[1]
    assert 1 == bench.job(callback).waits_for


@pytest.mark.parametrize(
    ("requests", "callback", "fields"),
    [
        ([ONE, ONE | {"priority": 9, "delay": -1}], ONE, ["requests[1].priority", "requests[1].delay"]),
        (
            [ONE | {"parameters": [1, 2, 3]}],
            {},
            ["requests[0].parameters", "callback.class", "callback.method"],
        ),
        ([ONE | {"colour": "red"}], ONE, ["requests[0].colour"]),
        ([ONE | {"class_name": WORK}], ONE, ["requests[0].class_name"]),
        (["job"], ONE, ["requests[0]"]),
        ([{1: 2}], ONE, ["requests[0]"]),
        ([ONE], ONE | {"after": [1], "after_failed": "run"}, ["callback.after", "callback.after_failed"]),
        ([ONE, ONE | {"after": [10**9]}], ONE, ["after"]),
        ([{}] * 10_001, ONE, ["requests"]),
    ],
)
def test_a_batch_is_stored_whole_or_not_at_all(
    bench: Bench, requests: Any, callback: dict[str, Any], fields: list[str]
) -> None:
    """One bad job refuses all, and every problem says where it is."""
    before = bench.snapshot()

    with bench.write() as session, pytest.raises(ValidationError) as refused:
        run_background_batch(requests, callback=callback, session=session)

    assert fields == [problem.field for problem in refused.value.problems][: len(fields)]
    assert before == bench.snapshot()


def test_a_callback_finds_the_outcomes_of_its_batch(bench: Bench) -> None:
    """By its own number it learns of each job: which, what became of it, what it returned, why it failed."""
    jobs, callback = batch(bench, ONE, ONE, ONE)
    claimed(bench)
    bench.finish(end(jobs[0], result=json.dumps({"sum": 3})))
    bench.finish(end(jobs[1]))
    bench.finish(end(jobs[2], status="failed", error="it broke"))

    assert [
        (jobs[0], "completed", {"sum": 3}, None),
        (jobs[1], "completed", None, None),
        (jobs[2], "failed", None, "it broke"),
    ] == job_ancestors(callback)


def test_a_job_without_ancestors_has_no_outcomes_to_find(bench: Bench) -> None:
    """Nothing is an answer too."""
    assert [] == job_ancestors(bench.enqueue())


def test_the_result_of_a_completed_job_can_be_read(bench: Bench) -> None:
    """What the handler returned is given as the value it was."""
    job = bench.enqueue()
    claimed(bench)
    bench.finish(end(job, result='[1, {"a": null}]'))

    assert [1, {"a": None}] == job_result(job)


@pytest.mark.parametrize("state", [state for state in STATES if state != "completed"])
def test_only_a_completed_job_has_a_result(bench: Bench, state: str) -> None:
    """What is not there (yet) is said, not given as None."""
    job = bench.job_in(state)

    with pytest.raises(JobNotCompleted, match=f"job {job} is {bench.job(job).status}: only a completed job"):
        job_result(job)


def test_the_result_of_no_job_is_an_error(bench: Bench) -> None:
    """A number that no job has is refused by its own error."""
    with pytest.raises(JobNotFound):
        job_result(bench.enqueue() + 1000)
