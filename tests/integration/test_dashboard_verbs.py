"""What people do to jobs through the dashboard."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from app.runner import queries
from tests.dashboard_house import FRAGMENT, House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERBS = ("start", "cancel", "retry", "hold", "release")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


def state(house: House, job_id: int) -> str:
    """Give the state of a job as people see it."""
    with house.read() as session:
        return queries.get_job(session, job_id, dt.datetime.now(dt.UTC)).row.state


@pytest.mark.parametrize(
    ("verb", "status", "columns", "after"),
    [
        ("start", "pending", {"run_at": dt.datetime(2090, 1, 1, tzinfo=dt.UTC)}, "pending"),
        ("hold", "pending", {}, "held"),
        ("release", "pending", {"is_held": True}, "pending"),
        ("cancel", "pending", {}, "cancelled"),
        ("cancel", "running", {}, "cancelling"),
        ("retry", "failed", {}, "pending"),
        ("retry", "completed", {}, "pending"),
        ("retry", "cancelled", {}, "pending"),
    ],
)
def test_a_verb_does_what_it_says(
    house: House, verb: str, status: str, columns: dict[str, object], after: str
) -> None:
    """Each verb changes the job, names who did it, and leads back."""
    house.launcher()
    job = house.add(status, **columns)

    answer = house.post(f"/{job}/{verb}")

    assert (303, f"/background-jobs/{job}") == (answer.status_code, answer.location)
    assert after == state(house, job)
    assert "by ada@example.com" in " ".join(house.page(f"/{job}").split())


def test_a_person_without_script_comes_back_to_where_they_were(house: House) -> None:
    """The list keeps its filters; a page of another site is nowhere to go back to."""
    job = house.add()

    ours = house.post(f"/{job}/hold", Referer="http://localhost/background-jobs?status=pending")
    foreign = house.post(f"/{job}/release", Referer="http://evil.example/background-jobs")

    assert "/background-jobs?status=pending" == ours.location
    assert f"/background-jobs/{job}" == foreign.location


def test_htmx_gets_the_fresh_row(house: House) -> None:
    """A button in a row is answered with that row as it is now, and with what was done."""
    job = house.add()

    answer = house.post(f"/{job}/hold", **FRAGMENT, **{"HX-Target": f"tr#job-row-{job}"})

    assert 200 == answer.status_code
    assert answer.text.lstrip().startswith(f'<tr id="job-row-{job}"')
    assert ">held<" in answer.text
    assert f"Job {job} is held." in answer.text


def test_htmx_gets_the_fresh_job(house: House) -> None:
    """A button on a job's page is answered with what that page shows now."""
    job = house.add("failed")

    answer = house.post(f"/{job}/retry", **FRAGMENT, **{"HX-Target": "div#job"})

    assert answer.text.lstrip().startswith('<div id="job"')
    assert "data-poll" in answer.text


def test_any_other_list_is_told_to_ask_again(house: House) -> None:
    """Where the job leaves the list, the list is asked for anew."""
    job = house.add("failed")

    answer = house.post(f"/{job}/retry", **FRAGMENT, **{"HX-Target": "div#failure-list"})

    assert "runner:changed" == answer.headers["HX-Trigger"]
    assert "<tr" not in answer.text


@pytest.mark.parametrize("verb", ["retry", "release"])
def test_what_is_not_allowed_is_refused_with_its_reason(house: House, verb: str) -> None:
    """A verb that the status does not allow changes nothing and says why."""
    job = house.add()

    plain = house.post(f"/{job}/{verb}")
    htmx = house.post(f"/{job}/{verb}", **FRAGMENT, **{"HX-Target": f"tr#job-row-{job}"})

    assert (409, 409) == (plain.status_code, htmx.status_code)
    assert f"Nothing was done: job {job} is pending" in plain.text
    assert f"Nothing was done: job {job} is pending" in htmx.text
    assert "pending" == house.status(job)


@pytest.mark.parametrize("verb", VERBS)
def test_looking_changes_nothing(house: House, verb: str) -> None:
    """A verb cannot be done by following a link."""
    job = house.add()

    assert 405 == house.get(f"/{job}/{verb}").status_code
    assert 405 == house.get(f"/bulk/{verb}").status_code


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("job_id", ["0", "x", "7", "٣", "1e3"])
def test_a_verb_for_no_job_is_not_found(house: House, verb: str, job_id: str) -> None:
    """There is nothing to do to what is not there."""
    assert 404 == house.post(f"/{job_id}/{verb}").status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
    ],
)
@pytest.mark.parametrize("path", ["/1/cancel", "/bulk/cancel"])
def test_another_site_changes_nothing(house: House, path: str, headers: dict[str, str]) -> None:
    """A page of another site cannot act through the browser of an admin."""
    job = house.add()

    answer = house.post(path, {"ids": str(job)}, **headers)

    assert 403 == answer.status_code
    assert "pending" == house.status(job)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}],
)
def test_our_own_pages_may_act(house: House, headers: dict[str, str]) -> None:
    """What the dashboard itself asks for is done, in browsers old and new."""
    job = house.add()

    assert 303 == house.post(f"/{job}/cancel", **headers).status_code


def test_many_at_once_are_reported_one_by_one(house: House) -> None:
    """How many were done, and which refused with what reason."""
    pending, failed, other = house.add(), house.add("failed"), house.add()

    answer = house.post("/bulk/cancel", {"ids": [str(pending), str(failed), str(other), "99"]}, **FRAGMENT)

    assert 200 == answer.status_code
    assert "Cancel: 2 done, 2 refused." in answer.text
    assert f"job {failed} is failed" in answer.text
    assert "there is no job 99" in answer.text
    assert "runner:changed" == answer.headers["HX-Trigger"]
    assert ["cancelled", "failed", "cancelled"] == [house.status(job) for job in (pending, failed, other)]


def test_many_at_once_without_script_have_a_page(house: House) -> None:
    """The report can be read without htmx, too."""
    answer = house.post("/bulk/hold", {"ids": [str(house.add()), str(house.add("failed"))]})

    assert 200 == answer.status_code
    assert "<!doctype html>" in answer.text
    assert "Hold: 1 done, 1 refused." in answer.text


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "at least one job"),
        (["x"], "the number of a job"),
        (["1", "٣"], "the number of a job"),
        (["1"] * 1001, "at most 1000 jobs at once"),
    ],
)
def test_a_choice_that_cannot_be_used_is_named(house: House, ids: list[str], said: str) -> None:
    """A bulk request without usable numbers changes nothing."""
    job = house.add()

    answer = house.post("/bulk/cancel", {"ids": ids})

    assert 400 == answer.status_code
    assert said in answer.text
    assert "pending" == house.status(job)


def test_a_verb_nobody_knows_is_not_found(house: House) -> None:
    """Only the five verbs can be done to many."""
    assert 404 == house.post("/bulk/destroy", {"ids": "1"}).status_code
