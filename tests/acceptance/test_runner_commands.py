"""The commands as a person in a terminal and a program meet them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.launching import House


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_each_case_shows_what_it_says(house: House, case: str) -> None:
    """run-test-jobs starts what it needs, checks its case, and exits with 0 only if it holds."""
    done = house.flask("run-test-jobs", case)

    assert f"case {case} passed" in done.stdout
    assert [] == house.processes()


def test_a_job_runs_by_hand_in_this_process(house: House) -> None:
    """`python -m app.runner.exec ID` runs a pending job without a launcher; exit code 0 if it completed."""
    (good,) = house.enqueue("noop", 7)
    (bad,) = house.enqueue("fail", retries=0, priority=2)

    assert 0 == house.python("-m", "app.runner.exec", str(good)).returncode
    failed = house.python("-m", "app.runner.exec", str(bad), check=False)

    assert ("completed", "7") == (house.job(good)["status"], house.job(good)["result"])
    assert 1 == failed.returncode
    assert f"job {bad} failed: ValueError: it does not work" in failed.stderr
    assert [] == house.rows("SELECT id FROM background_job_launchers")


@pytest.mark.parametrize("verb", ["", "cancel"])
def test_what_is_over_does_not_run_by_hand(house: House, verb: str) -> None:
    """A completed or cancelled job is refused in one sentence, and stays as it is."""
    (job,) = house.enqueue("noop")
    house.flask(verb, str(job)) if verb else house.flask("work", "--drain")
    before = house.job(job)

    done = house.python("-m", "app.runner.exec", str(job), check=False)

    assert 1 == done.returncode
    assert f"job id {job} is {before['status']}: only a pending job can be run\n" == done.stderr
    assert before == house.job(job)


def test_people_act_and_programs_read(house: House) -> None:
    """hold, release, start, cancel, retry change one job each; list, show and stats tell, as JSON too."""
    (job,) = house.enqueue("noop", delay=3600)

    for verb in ("hold", "release", "start", "cancel", "retry"):
        house.flask(verb, str(job))
    house.flask("work", "--drain")

    shown = json.loads(house.flask("show", str(job), "--json").stdout)
    assert "completed" == shown["row"]["status"]
    listed = json.loads(house.flask("list", "--status", "completed", "--json").stdout)
    assert [job] == [row["id"] for row in listed]
    assert 1 == json.loads(house.flask("stats", "--json").stdout)["jobs"]["completed"]
    names = [name for (name,) in house.rows("SELECT name FROM background_job_events ORDER BY id")]
    assert ["held", "released", "started", "cancelled", "retried"] == names


def test_refusals_are_one_sentence_and_exit_code_1(house: House) -> None:
    """A verb that the job's status does not allow changes nothing and says why."""
    (job,) = house.enqueue("noop")
    house.flask("work", "--drain")

    done = house.flask("cancel", str(job), check=False)

    assert 1 == done.returncode
    assert (
        f"Error: job {job} is completed: cancel is only possible for pending or running jobs\n" == done.stderr
    )


def test_waiting_says_how_it_ended(house: House) -> None:
    """`run --wait` exits with 0 only if the job completed, and at once when nobody could run it."""
    alone = house.flask("run", "work.Work", "noop", "--wait", check=False)
    assert 1 == alone.returncode
    assert "no launcher is alive" in alone.stderr
    house.launch("--idle-exit", "10")

    good = house.flask("run", "work.Work", "noop", "-p", "[1]", "--wait", check=False)
    bad = house.flask("run", "work.Work", "fail", "--retries", "0", "--wait", check=False)

    assert 0 == good.returncode or "no launcher is alive" in good.stderr
    assert 1 == bad.returncode
    assert "it does not work" in bad.stderr


@pytest.mark.parametrize("command", [("list",), ("work",), ("work", "--drain"), ("run", "work.Work", "noop")])
def test_a_database_that_cannot_be_opened_is_said_in_one_line(house: House, command: tuple[str, ...]) -> None:
    """No traceback tells an operator that a file is not there: a sentence does."""
    house.environment["FLASK_RUNNER_DATABASE_URL"] = f"sqlite:///{house.folder}"

    done = house.flask(*command, check=False)

    assert 1 == done.returncode
    said = f"unable to open database file: {house.folder} is a folder"
    assert f"Error: the database cannot be used: {said}\n" == done.stderr


def test_a_job_is_enqueued_after_others(house: House) -> None:
    """`--after` is repeated for each job to wait for; one that is not there is refused in a sentence."""
    first, second = house.enqueue("noop", count=2)

    house.flask(
        "run", "work.Work", "noop", "--after", str(first), "--after", str(second), "--after-failed", "run"
    )
    refused = house.flask("run", "work.Work", "noop", "--after", "99", check=False)

    assert 2 == house.job(second + 1)["waits_for"]
    assert [("run",)] == house.rows("SELECT DISTINCT policy FROM background_job_dependencies")
    assert (2, "Error: after: there is no job 99\n") == (refused.returncode, refused.stderr)
