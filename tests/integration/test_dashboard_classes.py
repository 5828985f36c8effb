"""Pauses and limits as a person sees them: the page of the classes, the banner, the reason for waiting."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from app.runner import queries
from app.runner.models import Event, Job, JobClass
from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INVOICE = "shop.jobs.Invoice"
REPORT = "shop.jobs.Report"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a host with a class, and one that is limited."""
    approved = {INVOICE: ["send"], REPORT: {"methods": ["write"], "max_running": 1, "rate": "2/hour"}}
    made = House(tmp_path, RUNNER_APPROVED=approved)
    yield made
    made.close()


def pause(house: House, name: str) -> Any:
    """Press the button."""
    return house.post("/classes/pause", {"class": name})


def waiting(house: House, job: int) -> str:
    """Ask why a job waits."""
    with house.read() as session:
        return queries.get_job(session, job, dt.datetime.now(dt.UTC)).waiting or ""


def test_a_class_is_paused_and_resumed_with_a_button(house: House) -> None:
    """The page says who did it, the row and the event do too, and the button is the other one now."""
    assert 303 == pause(house, INVOICE).status_code

    page = house.page("/classes")
    assert "by ada@example.com" in page
    assert "/classes/resume" in page
    with house.read() as session:
        assert "ada@example.com" == session.get_one(JobClass, INVOICE).paused_by

    assert 303 == house.post("/classes/resume", {"class": INVOICE}).status_code
    with house.read() as session:
        assert ["paused", "resumed"] == [each.name for each in session.query(Event).order_by(Event.id)]


def test_pausing_asks_first(house: House) -> None:
    """The question says what goes on and what does not; resuming needs no question."""
    assert "those that run go on" in house.page("/classes")
    pause(house, "*")

    assert "Pause every class?" not in house.page("/classes")


@pytest.mark.parametrize(
    ("name", "said"), [("*", "Everything is paused, so no job begins."), (INVOICE, f"{INVOICE} is paused.")]
)
def test_the_list_has_a_banner_for_what_is_paused(house: House, name: str, said: str) -> None:
    """Who wonders why nothing happens reads it where he looks first."""
    assert 'id="paused"' not in house.page()

    pause(house, name)

    page = house.page()
    assert said in page
    assert "ada@example.com" in page


def test_a_waiting_job_says_who_paused_it(house: House) -> None:
    """The reason for waiting is the pause, not the line."""
    job = house.add()
    house.launcher()
    pause(house, INVOICE)
    assert waiting(house, job).startswith(f"The class {INVOICE} is paused, by ada@example.com at ")

    house.post("/classes/resume", {"class": INVOICE})
    pause(house, "*")
    assert waiting(house, job).startswith("Everything is paused, by ada@example.com at ")


def test_a_waiting_job_says_which_limit_it_waits_for(house: House) -> None:
    """A class that is full, or whose rate is used up, is the reason."""
    house.launcher()
    job = house.add(class_name=REPORT, method="write")
    running = house.add("running", class_name=REPORT, method="write")
    assert "1 of its class are running, and no more than 1 may at once." == waiting(house, job)

    use_up(house, running)
    assert "The rate of its class, 2/hour, is used up" in waiting(house, job)


def use_up(house: House, running: int) -> None:
    """Use up the rate of the limited class, with nothing of it running."""
    now = dt.datetime.now(dt.UTC)
    with house.write() as session:
        job = session.get_one(Job, running)
        job.status, job.launcher_id, job.finished_at = "completed", None, now
        session.add(JobClass(name=REPORT, starts=json.dumps([(now.timestamp(), now.timestamp(), 2)])))


def test_limits_are_on_the_page(house: House) -> None:
    """What holds for a class is read where its jobs are paused."""
    page = house.page("/classes")

    assert "2/hour" in page
    assert "(0 used)" in page


@pytest.mark.parametrize("name", ["no.such.Class", "<script>"])
def test_what_cannot_be_paused_is_refused_in_a_sentence(house: House, name: str) -> None:
    """Nothing is changed, and the page says why."""
    answer = pause(house, name)

    assert 409 == answer.status_code
    assert "is not an approved class" in answer.get_data(as_text=True)
    assert "<script>" not in answer.get_data(as_text=True).partition("<main")[2]


def test_a_post_without_a_class_is_refused(house: House) -> None:
    """An empty form does not pause everything."""
    assert 400 == house.post("/classes/pause", {}).status_code
    assert 'id="paused"' not in house.page()


def test_the_fragment_of_the_page_is_what_the_button_asks_for(house: House) -> None:
    """A button is followed to the list alone, with no layout around it."""
    answer = house.fragment("/classes").get_data(as_text=True)

    assert answer.lstrip().startswith('<div id="class-list"')


def test_the_command_line_does_the_same(house: House) -> None:
    """`flask jobs pause` and `resume`, with and without a class; a refusal is one line and exit code 1."""
    runner = house.application.test_cli_runner()

    assert "everything is paused" in runner.invoke(args=["jobs", "pause"]).output
    assert f"{INVOICE} is paused" in runner.invoke(args=["jobs", "pause", INVOICE]).output
    again = runner.invoke(args=["jobs", "pause", INVOICE])
    assert (1, True) == (again.exit_code, "is paused already" in again.output)
    assert "paused" in runner.invoke(args=["jobs", "pauses"]).output
    assert '"is_paused": true' in runner.invoke(args=["jobs", "pauses", "--json"]).output
    assert f"still paused: {INVOICE}" in runner.invoke(args=["jobs", "resume"]).output
    assert 1 == runner.invoke(args=["jobs", "pause", "no.such"]).exit_code
