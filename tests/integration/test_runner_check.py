"""`flask jobs check`: what is in force and where it comes from; what is wrong, in sentences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from app.runner import binding
from app.runner.settings import Settings
from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORK = "tests.runner_house.Work"


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make hosts, and close them."""
    made: list[House] = []

    def make(**config: Any) -> House:
        made.append(House(tmp_path, **{"RUNNER_APPROVED": {WORK: ["handle"]}, **config}))
        return made[-1]

    yield make
    for house in made:
        house.close()


def check(house: House) -> tuple[int, dict[str, Any]]:
    """Run the command as a program does: the exit code, and what it found."""
    done = house.application.test_cli_runner().invoke(args=["jobs", "check", "--json"])
    found: dict[str, Any] = json.JSONDecoder().raw_decode(done.output)[0]
    return done.exit_code, found


def problems(house: House) -> list[str]:
    """Give the sentences about what is wrong."""
    code, found = check(house)
    wrong = [each["what"] for each in found["findings"] if not each["ok"]]
    assert bool(wrong) == (code == 1)
    return wrong


def test_all_is_well_with_a_live_launcher(build: Callable[..., House]) -> None:
    """Exit code 0, and a table for people."""
    house = build()
    house.launcher()

    assert [] == problems(house)
    done = house.application.test_cli_runner().invoke(args=["jobs", "check"])
    assert (0, True) == (done.exit_code, "1 live launcher" in done.output)


def test_every_setting_is_shown_with_its_source(
    build: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Default, config or environment: nobody has to guess why a value is what it is."""
    monkeypatch.setenv("FLASK_RUNNER_SLOTS", "3")
    _, found = check(build(RUNNER_SLOTS=3, RUNNER_GRACE_SECONDS=2))

    listed = {each["name"]: (each["value"], each["from"]) for each in found["settings"]}
    assert len(listed) == len(Settings.__dataclass_fields__)
    assert ("3", "environment, FLASK_RUNNER_SLOTS") == listed["RUNNER_SLOTS"]
    assert ("2.0", "config") == listed["RUNNER_GRACE_SECONDS"]
    assert ("300.0", "default") == listed["RUNNER_AGEING_SECONDS"]


def test_no_password_is_shown(build: Callable[..., House], tmp_path: Path) -> None:
    """What is printed can be pasted into a question."""
    house = build(RUNNER_DATABASE_URL=f"sqlite:///{tmp_path / 'jobs.db'}")
    with house.application.app_context():
        binding.current()
    state = house.application.extensions["background_jobs"]
    object.__setattr__(state.binding().settings, "database_url", "postgresql://ada:hush@db/jobs")

    done = house.application.test_cli_runner().invoke(args=["jobs", "check"])

    assert "hush" not in done.output
    assert "ada:***@db" in done.output


def test_no_launcher_is_a_problem_unless_one_starts_by_itself(
    build: Callable[..., House], tmp_path: Path
) -> None:
    """With RUNNER_AUTOSTART the next job brings its launcher."""
    assert ["no live launcher: start `flask jobs work`"] == problems(build())
    assert [] == problems(build(RUNNER_AUTOSTART=True))


def test_a_handler_that_cannot_be_loaded_is_a_problem(build: Callable[..., House]) -> None:
    """Each with its name and its reason."""
    house = build(RUNNER_APPROVED={"no.such.Module": ["handle"], WORK: ["gone"]})
    house.launcher()

    first, second = problems(house)
    assert first.startswith("handler no.such.Module@handle: ")
    assert second.startswith(f"handler {WORK}@gone: ")


def test_a_schedule_whose_parameters_do_not_fit_is_a_problem(build: Callable[..., House]) -> None:
    """It is said before its time comes."""
    entry = {"cron": "0 3 * * *", "class": WORK, "parameters": ["x", 1, "too many"]}
    house = build(RUNNER_SCHEDULES={"nightly": entry})
    house.launcher()

    (said,) = problems(house)
    assert said.startswith("schedule nightly: parameters")


def test_a_table_that_is_not_there_is_a_problem(build: Callable[..., House]) -> None:
    """The sentence says what to run."""
    house = build()
    with house.write() as session:
        session.execute(text("DROP TABLE background_job_classes"))

    (said,) = problems(house)
    assert said.endswith("has no table background_job_classes: run `flask db upgrade`")


def test_a_folder_that_is_gone_is_a_problem(build: Callable[..., House], tmp_path: Path) -> None:
    """Without it no log is written."""
    house = build()
    house.launcher()
    (tmp_path / "logs").rmdir()

    (said,) = problems(house)
    assert said.startswith("RUNNER_LOG_DIR: ")


def test_what_is_paused_is_mentioned(build: Callable[..., House]) -> None:
    """It is no mistake, but who wonders why nothing runs looks here."""
    house = build()
    house.launcher()
    house.post("/classes/pause", {"class": "*"})

    done = house.application.test_cli_runner().invoke(args=["jobs", "check"])

    assert (0, True) == (done.exit_code, "everything is paused, by ada@example.com" in done.output)
