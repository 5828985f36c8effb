"""`python -m app.runner.exec ID`: one job here and now; what it leaves in rows and logs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from app.runner import binding, byhand, exec, processes, store  # noqa: A004 - the module has that name
from app.runner.api import run_background_job
from app.runner.models import Attempt, Job, LauncherRow
from tests.runner_house import host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

TARGET = "hostile_target.Target"


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Give an application whose jobs run in this process."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "data")
    made = host(tmp_path, RUNNER_APPROVED={TARGET: ["run", "with_secret"]})
    monkeypatch.setattr(byhand, "load", lambda _: made)
    monkeypatch.setenv(processes.MARK, "")
    yield made
    with made.app_context():
        binding.current().engine.dispose()
    sys.modules.pop("hostile_target", None)


def enqueue(application: Flask, method: str = "run", parameters: Any = ("a",), **options: Any) -> int:
    """Store a job."""
    with application.app_context():
        return run_background_job(TARGET, method, parameters, **options).id


def job(application: Flask, number: int) -> Job:
    """Read a job."""
    with application.app_context(), binding.current().read() as session:
        return session.get_one(Job, number)


def attempts(application: Flask, number: int) -> list[Attempt]:
    """Read the attempts of a job."""
    with application.app_context(), binding.current().read() as session:
        return list(session.scalars(select(Attempt).where(Attempt.job_id == number)))


def logged(application: Flask) -> str:
    """Read all log files."""
    folder = Path(application.config["RUNNER_LOG_DIR"])
    return "".join(path.read_text() for path in sorted(folder.rglob("*.log")))


def test_a_pending_job_runs_and_is_finished(application: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, a finished row, an attempt with this process, one line in the log; no launcher left."""
    number = enqueue(application)

    assert 0 == exec.main([str(number)])

    assert f"job {number} completed\n" == capsys.readouterr().err
    assert ("completed", '{"text": "a", "n": 1}') == (
        job(application, number).status,
        job(application, number).result,
    )
    (attempt,) = attempts(application, number)
    assert ("completed", processes.start_time(attempt.pid or 0)) == (attempt.outcome, attempt.process_started)
    assert f"local.INFO: Job {number} completed: {TARGET}@run " in logged(application)
    with application.app_context(), binding.current().read() as session:
        assert [] == list(session.scalars(select(LauncherRow)))


def test_a_job_that_fails_ends_with_1(application: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a completed job is a success; the line says what it came to."""
    number = enqueue(application, "with_secret", {"text": "fail", "password": "hunter2"}, retries=0)

    assert 1 == exec.main([str(number)])

    assert capsys.readouterr().err.startswith(f"job {number} failed: ValueError: could not log in with ***")


def test_a_secret_appears_nowhere(application: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in the error, the traceback, what is shown of the parameters, a log or on the terminal."""
    for retries in (0, 3):
        number = enqueue(application, "with_secret", {"text": "fail", "password": "hunter2"}, retries=retries)
        assert 1 == exec.main([str(number)])
        found = job(application, number)
        (attempt,) = attempts(application, number)
        shown = [found.error, found.result, found.shown_parameters, attempt.error, attempt.traceback]
        assert "hunter2" not in repr(shown)
        assert "***" in (attempt.traceback or "")

    assert "hunter2" not in logged(application)
    assert "hunter2" not in repr(capsys.readouterr())


@pytest.mark.parametrize("state", ["completed", "cancelled", "held", "absent"])
def test_what_may_not_run_does_not(
    application: Flask, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that is finished, held or not there is refused in one line with its state; nothing changes."""
    number = enqueue(application)
    with application.app_context():
        if state == "completed":
            exec.main([str(number)])
        elif state != "absent":
            verb = {"cancelled": store.cancel, "held": store.hold}[state]
            with binding.current().write() as session:
                verb(session, number, actor="ada")
    wanted = number + 1000 if state == "absent" else number
    before = (job(application, number).status, len(attempts(application, number)))
    capsys.readouterr()

    assert 1 == exec.main([str(wanted)])

    said = capsys.readouterr().err
    assert 1 == said.count("\n")
    assert (f"there is no job id {wanted}" if state == "absent" else f"job id {wanted} is {state}") in said
    assert before == (job(application, number).status, len(attempts(application, number)))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ""),
        ({"FLASK_APP": "site"}, "site"),
        ({"FLASK_APP": "site", "FLASK_RUNNER_APPLICATION": "jobs:make"}, "jobs:make"),
    ],
)
def test_the_application_is_found_as_a_launcher_finds_it(
    application: Flask, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], found: str
) -> None:
    """What names the application for jobs goes before what names it for flask."""
    for name in ("FLASK_APP", "FLASK_RUNNER_APPLICATION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    asked: list[str] = []

    def load(path: str) -> Flask:
        asked.append(path)
        return application

    monkeypatch.setattr(byhand, "load", load)

    exec.main([str(enqueue(application))])

    assert [found] == asked[:1]
