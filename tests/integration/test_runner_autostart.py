"""When a launcher is started by itself, and when not; nothing is really started here."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.runner import autostart, presence, processes, store
from app.runner.api import run_background_job
from tests.runner_house import WORK, Bench, made_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.runner.binding import Binding


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Give a runner with the setting on."""
    engine = made_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    made = Bench(engine, tmp_path, autostart=True)
    made.settings.log_dir.mkdir()
    monkeypatch.setattr("app.runner.binding._resolve", lambda: made.bound)
    monkeypatch.setattr(autostart, "_seen_at", float("-inf"))
    yield made
    engine.dispose()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Collect the commands that would be started."""
    commands: list[list[str]] = []

    class Popen:
        def __init__(self, command: list[str], **options: Any) -> None:
            assert options["start_new_session"]
            commands.append(command)
            # The launcher that is not there holds its lock for the time of the test.
            os.dup(options["pass_fds"][0])

        def poll(self) -> None:
            return None

    monkeypatch.setattr("app.runner.autostart.subprocess.Popen", Popen)
    return commands


def test_an_enqueue_starts_one_launcher(bench: Bench, started: list[list[str]]) -> None:
    """The first job starts it, and while it holds the lock nobody else does."""
    for _ in range(3):
        run_background_job(WORK, "handle")

    expected = [sys.executable, "-m", "flask", "jobs", "work", "--idle-exit", "60"]
    assert [expected] == started


def test_what_is_rolled_back_starts_nothing(bench: Bench, started: list[list[str]]) -> None:
    """A launcher is started for a job that is there, after its commit."""
    with bench.write() as session:
        run_background_job(WORK, "handle", session=session)
        assert [] == started
        session.rollback()
        assert [] == started


def test_it_is_off_by_default(bench: Bench, started: list[list[str]]) -> None:
    """Nobody gets a process that he did not ask for."""
    bench.bound = replace(bench.bound, settings=replace(bench.settings, autostart=False))

    run_background_job(WORK, "handle")

    assert [] == started


def test_a_job_starts_no_launcher(
    bench: Bench, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a job enqueues, its own launcher runs: no loop of launchers and jobs."""
    monkeypatch.setenv(processes.MARK, "some-launcher")

    run_background_job(WORK, "handle")

    assert [] == started


def test_a_launcher_that_lives_is_enough(bench: Bench, started: list[list[str]]) -> None:
    """One on another machine is known by its heartbeat."""
    row = presence.presence("elsewhere", 1)
    row.host = "another-machine"
    with bench.write() as session:
        store.register(session, row)

    run_background_job(WORK, "handle")

    assert [] == started


def test_a_launcher_that_died_here_is_not(bench: Bench, started: list[list[str]]) -> None:
    """Its heartbeat is fresh, but its process is gone."""
    row = presence.presence("here", 1)
    row.process_started += 1000
    with bench.write() as session:
        store.register(session, row)

    run_background_job(WORK, "handle")

    assert 1 == len(started)


def test_the_application_is_named(bench: Bench, started: list[list[str]]) -> None:
    """The launcher loads the application that enqueued."""
    named: Binding = replace(bench.bound, application="shop:make_app")

    autostart.ensure_launcher(named)

    assert ["--app", "shop:make_app"] == started[0][3:5]


def test_one_that_cannot_start_is_not_started_with_every_job(
    bench: Bench, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher that ended at once has a pause before it."""
    monkeypatch.setattr(os, "dup", lambda _: None)

    for _ in range(3):
        run_background_job(WORK, "handle")

    assert 1 == len(started)
