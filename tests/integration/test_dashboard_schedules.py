"""Schedules as a person sees them, and runs them now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.runner import binding, maintenance
from app.runner.errors import SettingsError
from app.runner.models import Event, Job
from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORK = "tests.runner_house.Work"
SCHEDULES = {
    "nightly": {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "class": WORK, "missed": "once"},
    "secret": {
        "cron": "0 0 * * 0",
        "class": WORK,
        "method": "sign_in",
        "parameters": {"name": "x", "password": "hush"},
    },
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a host with two schedules."""
    made = House(tmp_path, RUNNER_APPROVED={WORK: ["handle", "sign_in"]}, RUNNER_SCHEDULES=SCHEDULES)
    yield made
    made.close()


def test_the_page_shows_the_next_ten_times(house: House) -> None:
    """What comes is seen before it comes; that no launcher has seen it yet is said."""
    page = house.page("/schedules")

    assert 22 == page.count("<time")
    assert "30 2 * * *" in page
    assert "waits for a launcher" in page
    with house.application.app_context():
        maintenance.settle_in(binding.current())
    assert "waits for a launcher" not in house.page("/schedules")


def test_secrets_of_schedules_are_not_shown(house: House) -> None:
    """A parameter named like a secret is hidden here as everywhere."""
    assert "hush" not in house.page("/schedules")
    shown = house.application.test_cli_runner().invoke(args=["jobs", "schedules", "--json"]).output
    assert "hush" not in shown


def test_run_now_enqueues_one_job_and_shows_it(house: House) -> None:
    """Who pressed the button stands on the job's page."""
    answer = house.post("/schedules/nightly/run")

    assert 303 == answer.status_code
    page = house.client.get(answer.location).get_data(as_text=True)
    assert "Run now from its schedule" in page
    with house.read() as session:
        assert ["ada@example.com"] == [job.created_by for job in session.query(Job)]
        assert ["schedule_run"] == [event.name for event in session.query(Event)]


def test_a_schedule_that_is_not_there_is_not_found(house: House) -> None:
    """A stale page's button does nothing."""
    assert 404 == house.post("/schedules/gone/run").status_code


def test_the_command_lists_them(house: House) -> None:
    """`flask jobs schedules`: a table for people, JSON with ten times for programs."""
    runner = house.application.test_cli_runner()

    assert "nightly" in runner.invoke(args=["jobs", "schedules"]).output
    listed = json.loads(runner.invoke(args=["jobs", "schedules", "--json"]).output)
    assert [("nightly", 10), ("secret", 10)] == [(each["name"], len(each["times"])) for each in listed]


def test_what_is_not_approved_stops_start_up(tmp_path: Path) -> None:
    """A schedule of an unknown handler is refused before anything runs."""
    with pytest.raises(SettingsError, match=r"nightly: .* is not on the approved list"):
        House(tmp_path, RUNNER_SCHEDULES={"nightly": SCHEDULES["nightly"]})


def test_a_schedule_is_paused_and_resumed_with_a_button(house: House) -> None:
    """The page says who did it, and the button is the other one now; what is so already is refused."""
    assert 303 == house.post("/schedules/nightly/pause").status_code

    page = house.page("/schedules")
    assert "by ada@example.com" in page
    assert "/schedules/nightly/resume" in page
    refused = house.post("/schedules/nightly/pause")
    assert 409 == refused.status_code
    assert "The schedule nightly is paused already." in refused.get_data(as_text=True)

    assert 303 == house.post("/schedules/nightly/resume").status_code
    assert "ada@example.com" not in house.page("/schedules")
    assert 404 == house.post("/schedules/gone/pause").status_code


def test_the_command_pauses_one(house: House) -> None:
    """`flask jobs schedules pause|resume NAME` says what it did; for another name, which there are."""
    runner = house.application.test_cli_runner()

    assert "is paused" in runner.invoke(args=["jobs", "schedules", "pause", "nightly"]).output
    listed = json.loads(runner.invoke(args=["jobs", "schedules", "--json"]).output)
    assert [True, False] == [each["is_paused"] for each in listed]
    assert "nightly (paused)" in runner.invoke(args=["jobs", "schedules"]).output
    assert "is resumed" in runner.invoke(args=["jobs", "schedules", "resume", "nightly"]).output

    wrong = runner.invoke(args=["jobs", "schedules", "pause", "weekly"])
    assert 2 == wrong.exit_code
    assert "'weekly' is no schedule; those of RUNNER_SCHEDULES are: nightly, secret" in wrong.output
