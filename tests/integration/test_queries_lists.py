"""Lists of jobs: what is found, in which order, and how many there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.runner import queries
from app.runner.queries import lists, words
from tests.dashboard_house import SILENT, House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


def ids(page: queries.JobPage) -> list[int]:
    """Give the numbers of a page's jobs."""
    return [row.id for row in page.rows]


def listed(
    house: House, cursor: queries.Cursor | None = None, limit: int = 50, **filters: Any
) -> queries.JobPage:
    """Ask for a page of the jobs of a house."""
    with house.read() as session:
        wanted = queries.Filters(**filters)
        return queries.list_jobs(session, wanted, cursor or queries.Cursor(), house.now, limit=limit)


def test_jobs_are_listed_newest_first(house: House) -> None:
    """The newest job stands first."""
    made = [house.add() for _ in range(3)]

    assert made[::-1] == ids(listed(house))


def test_every_filter_narrows(house: House) -> None:
    """A job is listed if all filters match it."""
    wanted = house.add("failed", priority=1, class_name="a.B", error="disk full")
    house.add("completed", priority=1, class_name="a.B", error="disk full")
    house.add("failed", priority=2, class_name="a.B", error="disk full")
    house.add("failed", priority=1, class_name="a.C", error="disk full")
    house.add("failed", priority=1, class_name="a.B", error="timeout")

    found = listed(house, status="failed", priority=1, class_name="a.B", text="DISK")

    assert [wanted] == ids(found)


@pytest.mark.parametrize("text", ["50%", "a_b", "e/f", "'; --", "Ünï"])
def test_a_text_is_looked_for_as_it_is(house: House, text: str) -> None:
    """Signs that mean something to LIKE or to SQL mean themselves."""
    wanted = house.add(parameters=json.dumps([text], ensure_ascii=False))
    house.add(parameters='["50 a-b ef uni"]')

    assert [wanted] == ids(listed(house, text=text))


def test_a_handler_is_found_by_its_whole_name(house: House) -> None:
    """What pages call a handler can be searched for."""
    wanted = house.add(class_name="shop.jobs.Invoice", method="send")
    house.add(class_name="shop.jobs.Invoice", method="remind")

    assert [wanted] == ids(listed(house, text="Invoice@send"))


def test_a_secret_cannot_be_found_by_guessing(house: House) -> None:
    """The search looks at what people may see."""
    house.add(parameters='["hunter2"]', shown_parameters='["***"]')

    assert [] == ids(listed(house, text="hunter2"))


def test_a_number_finds_its_job(house: House) -> None:
    """A text that is a number is the number of a job, too."""
    house.add()
    house.add()

    assert [2] == ids(listed(house, text="#2"))


def test_a_text_is_looked_for_in_the_newest_jobs_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search reads a bounded number of rows."""
    monkeypatch.setattr(lists, "SEARCH_WINDOW", 2)
    made = [house.add(error="boom") for _ in range(4)]

    assert made[:1:-1] == ids(listed(house, text="boom"))


def test_pages_meet_without_gap_or_overlap(house: House) -> None:
    """Going older and back newer shows every job once each way."""
    made = [house.add() for _ in range(7)][::-1]

    first = listed(house, limit=3)
    second = listed(house, first.older, limit=3)
    third = listed(house, second.older, limit=3)

    assert made == ids(first) + ids(second) + ids(third)
    assert (None, None) == (first.newer, third.older)
    assert ids(second) == ids(listed(house, third.newer, limit=3))
    assert ids(first) == ids(listed(house, second.newer, limit=3))
    assert None is listed(house, second.newer, limit=3).newer


def test_a_page_keeps_its_place_while_jobs_arrive(house: House) -> None:
    """A page begins at a job, not at a count of jobs."""
    for _ in range(4):
        house.add()
    older = listed(house, limit=2).older
    before = ids(listed(house, older, limit=2))

    house.add()

    assert before == ids(listed(house, older, limit=2))


def test_counts_stop_at_the_cap(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """No count reads more rows than the cap and one."""
    monkeypatch.setattr(words, "COUNT_CAP", 2)
    for _ in range(5):
        house.add()
    house.add("failed")

    with house.read() as session:
        found = queries.counts(session)

    assert {"pending": 3, "running": 0, "completed": 0, "failed": 1, "cancelled": 0} == found


def test_the_overview_counts_the_launchers_that_live(house: House) -> None:
    """A launcher that has been silent for more than 15 seconds is not counted."""
    house.launcher()
    house.launcher(SILENT, silent_seconds=60)

    with house.read() as session:
        overview = queries.overview(session, house.now)
        alive = [each.is_alive for each in queries.launchers(session, house.now)]

    assert 1 == overview.live_launchers
    assert [True, False] == alive


def test_classes_are_listed_once_in_order(house: House) -> None:
    """Every class that has jobs can be chosen, whatever else there is."""
    for name in ("b.B", "a.A", "b.B", "c.C"):
        house.add(class_name=name)

    with house.read() as session:
        assert ["a.A", "b.B", "c.C"] == queries.classes(session)


def test_no_jobs_have_no_classes(house: House) -> None:
    """An empty table has an empty list of classes."""
    with house.read() as session:
        assert [] == queries.classes(session)


def test_a_failure_brings_its_last_traceback(house: House) -> None:
    """The failed-log view shows what the last attempt left, not the first."""
    failed = house.add("failed", attempt=2, attempts_used=2, max_attempts=2)
    house.attempt(failed, 1, "retrying", traceback="first")
    house.attempt(failed, 2, "failed", traceback="last")
    house.add("completed")

    with house.read() as session:
        page = queries.list_failures(session, queries.Filters(), queries.Cursor(), house.now)

    assert [(failed, "last")] == [(each.row.id, each.traceback) for each in page.rows]
