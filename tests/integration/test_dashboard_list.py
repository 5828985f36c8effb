"""The list of jobs: page and fragment, filters, empty states, what a poll costs."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


def test_one_address_gives_page_and_fragment(house: House) -> None:
    """The same URL answers a person with a page and htmx with the list alone."""
    house.add()

    page, fragment = house.get(), house.fragment()

    assert (200, 200) == (page.status_code, fragment.status_code)
    assert page.text.lstrip().startswith("<!doctype html>")
    assert fragment.text.lstrip().startswith('<div id="job-list"')
    assert fragment.text.strip() in page.text
    assert "HX-Request" in page.vary
    assert "HX-Request" in fragment.vary


@pytest.mark.parametrize("header", [{"HX-Request-Type": "full"}, {"HX-History-Restore-Request": "true"}])
def test_a_restored_page_is_whole(house: House, header: dict[str, str]) -> None:
    """Going back in history must not leave a naked list."""
    answer = house.fragment("", **header)

    assert "<!doctype html>" in answer.text


def test_a_poll_that_finds_nothing_new_is_answered_304(house: House) -> None:
    """Whoever has the list already is told so, without it."""
    house.launcher()
    job = house.add("completed")
    first = house.fragment()

    again = house.fragment("", **{"If-None-Match": first.headers["ETag"]})
    house.post(f"/{job}/retry")
    changed = house.fragment("", **{"If-None-Match": first.headers["ETag"]})

    assert (304, b"") == (again.status_code, again.data)
    assert 200 == changed.status_code


@pytest.mark.parametrize(
    "path", ["", "?q=x&status=failed", "?before=30", "?after=3", "/failures", "/launchers", "/20"]
)
def test_a_fragment_takes_three_queries_at_most(house: House, path: str) -> None:
    """What is asked for every two seconds is cheap."""
    house.launcher()
    for _ in range(60):
        house.add()

    with house.counted() as statements:
        answer = house.fragment(path)

    assert 200 == answer.status_code
    assert 3 >= len(statements)


def test_the_counts_stand_in_the_tabs(house: House) -> None:
    """A person sees how many jobs there are of every status, whatever the filter."""
    house.add()
    house.add("failed")
    house.add("failed")

    page = " ".join(house.page("?status=pending").split())

    assert 'Failed <span class="count">2</span>' in page
    assert 'All <span class="count">3</span>' in page


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=nope", "status"),
        ("priority=4", "priority"),
        ("priority=high", "priority"),
        ("page=-1", "page"),
        ("sort=id", "sort"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("after=٣", "after"),
        ("before=99999999999999999999", "before"),
        ("before=3&after=1", "after"),
        ("q=a%00b", "q"),
        ("class=%00", "class"),
        ("q=" + "x" * 201, "q"),
        ("status=failed&status=pending", "status"),
        ("%00=1", "\\x00"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(house: House, query: str, named: str) -> None:
    """A wrong filter is one clear sentence, never an unfiltered list or an error of ours."""
    answer = house.get(f"?{query}")

    assert 400 == answer.status_code
    assert f"“{named}”" in answer.text


@pytest.mark.parametrize(
    "query",
    ["q=%25", "q=';DROP TABLE background_jobs;--", "class=no.Such", "q=", "status=&q=+", "q=%F0%9F%99%82"],
)
def test_any_other_text_is_a_filter(house: House, query: str) -> None:
    """Nothing that can be typed breaks the list."""
    house.add()

    assert 200 == house.get(f"?{query}").status_code


def test_an_empty_dashboard_says_what_to_do_first(house: House) -> None:
    """Nothing at all yet is an invitation."""
    page = house.page()

    assert "No job has been enqueued yet" in page
    assert "flask jobs run-test-jobs a" in page


def test_filters_without_a_match_say_how_to_clear_them(house: House) -> None:
    """Nothing for these filters is another thing than nothing at all."""
    house.add()

    page = house.page("?status=failed")

    assert "No job matches" in page
    assert 'href="/background-jobs">Show all jobs</a>' in page
    assert "has been enqueued yet" not in page


@pytest.mark.parametrize(("silent_seconds", "warnings"), [(0, 0), (60, 1)])
def test_a_banner_warns_when_no_launcher_is_alive(house: House, silent_seconds: float, warnings: int) -> None:
    """Jobs that nobody will run are not left to be wondered about."""
    house.launcher(silent_seconds=silent_seconds)

    assert warnings == house.page().count("flask jobs work")


def test_what_jobs_carry_is_escaped(house: House) -> None:
    """Nothing of a job is markup."""
    house.add("failed", class_name="a.<b>", parameters='["<script>"]', error='"><img src=x>')

    page = house.page() + house.page("/failures") + house.page("/1")

    assert "<script>" not in page
    assert "<img" not in page
    assert "<b>" not in page


def test_a_row_offers_what_its_state_allows(house: House) -> None:
    """There is no button that could only be refused."""
    pending, failed = house.add(), house.add("failed")

    page = house.page()

    assert f'id="start-{pending}"' in page
    assert f'id="retry-{pending}"' not in page
    assert f'id="retry-{failed}"' in page
    assert f'id="cancel-{failed}"' not in page


def test_the_newest_page_is_always_full(house: House) -> None:
    """Going newer until the top arrives at the plain first page."""
    for _ in range(60):
        house.add()

    answer = house.get("?after=30&priority=2")

    assert (302, "/background-jobs?priority=2") == (answer.status_code, answer.location)


def test_links_keep_the_filters(house: House) -> None:
    """Paging and tabs carry what was chosen, so that any view can be bookmarked."""
    for _ in range(51):
        house.add(class_name="a&b.C")

    page = html.unescape(house.page("?class=a%26b.C&priority=2"))
    (older,) = re.findall(r'class="next" href="/background-jobs\?([^"]*)"', page)
    (failed,) = re.findall(r'href="/background-jobs\?([^"]*)"\s+id="tab-failed"', page)

    assert {"class": ["a&b.C"], "priority": ["2"], "before": ["2"]} == parse_qs(older)
    assert {"class": ["a&b.C"], "priority": ["2"], "status": ["failed"]} == parse_qs(failed)


def test_a_fragment_carries_no_token(tmp_path: Path) -> None:
    """A token that is new each time would make every poll news; it stands outside of what is polled."""
    house = House(tmp_path)
    house.application.jinja_env.globals["csrf_token"] = lambda: "the-token"
    house.add()

    page, fragment = house.page(), house.fragment().text
    house.close()

    assert 'value="the-token"' in page
    assert "the-token" not in fragment


def test_the_guard_stands_before_every_route(house: House) -> None:
    """Whoever may not see the dashboard sees nothing of it and changes nothing."""
    job = house.add()
    house.is_open = False
    rules = [rule for rule in house.application.url_map.iter_rules() if rule.endpoint.startswith("runner.")]
    adapter = house.application.url_map.bind("localhost")

    for rule in rules:
        values = {name: {"verb": "cancel", "filename": "style.css"}.get(name, job) for name in rule.arguments}
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        path = adapter.build(rule.endpoint, values, method=method)
        assert 403 == house.client.open(path, method=method).status_code, path
    assert "pending" == house.status(job)
