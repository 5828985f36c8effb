"""Cron schedules as values: what is refused, when they come, and what becomes of what was missed."""

from __future__ import annotations

import datetime as dt
from itertools import islice, pairwise
from typing import Any

import pytest

from app.runner.errors import SettingsError
from app.runner.schedules import CronSchedule, check_schedules, decide, load_schedules
from app.runner.settings import load_approved

GOOD = {"cron": "*/5 * * * *", "class": "shop.jobs.Report", "method": "write"}
DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def schedule(cron: str = "*/5 * * * *", **options: Any) -> CronSchedule:
    """Give a schedule as the settings would."""
    return load_schedules({"x": GOOD | {"cron": cron} | options})["x"]


def at(text: str, day: str = "2026-03-02") -> dt.datetime:
    """Give a moment in UTC."""
    return dt.datetime.fromisoformat(f"{day}T{text}+00:00")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "must be like"),
        ({"a b": GOOD}, "is no name"),
        ({"": GOOD}, "is no name"),
        ({"x": "* * * * *"}, "x: must be like"),
        ({"x": {}}, "x: cron must be a text"),
        ({"x": GOOD | {"corn": 1}}, "x: 'corn' is no option; the options are cron"),
        ({"x": GOOD | {"cron": "61 * * * *"}}, "x: cron '61 .*' cannot be read"),
        ({"x": GOOD | {"cron": "* * *"}}, "x: cron .* cannot be read"),
        ({"x": GOOD | {"cron": "0 0 30 2 *"}}, "x: cron .* (cannot be read|never comes true)"),
        ({"x": GOOD | {"timezone": "Europe/Atlantis"}}, "x: timezone 'Europe/Atlantis' is not known"),
        ({"x": GOOD | {"timezone": "../../etc/passwd"}}, "x: timezone .* is not known"),
        ({"x": GOOD | {"class": None}}, "x: class must be a text"),
        ({"x": GOOD | {"parameters": "[]"}}, "x: parameters must be a list or an object"),
        ({"x": GOOD | {"parameters": [DAY]}}, "x: parameters must be a list or an object"),
        ({"x": GOOD | {"priority": 4}}, "x: priority must be a whole number from 1 to 3"),
        ({"x": GOOD | {"priority": True}}, "x: priority must be a whole number"),
        ({"x": GOOD | {"missed": "never"}}, "x: missed must be one of skip, once, all"),
        ({"x": GOOD | {"most_missed": 0}}, "x: most_missed must be a whole number from 1"),
    ],
)
def test_a_schedule_that_cannot_be_used_stops_start_up(raw: Any, said: str) -> None:
    """The sentence names the schedule, its key, and what was expected."""
    with pytest.raises(SettingsError, match=said):
        load_schedules(raw)


@pytest.mark.parametrize("method", ["handle", "__init__"])
def test_what_is_not_approved_cannot_be_scheduled(method: str) -> None:
    """A schedule is no way round the approved list."""
    approved = load_approved({"shop.jobs.Report": ["write"]})
    check_schedules({"x": schedule()}, approved)

    with pytest.raises(SettingsError, match=r"x: .* is not on the approved list"):
        check_schedules({"x": schedule(method=method)}, approved)


def test_times_are_those_of_the_time_zone() -> None:
    """Nine in Berlin is eight by UTC in winter, and seven in summer."""
    daily = schedule("0 9 * * *", timezone="Europe/Berlin")

    assert at("08:00") == daily.after(at("00:00"))
    assert at("07:00", "2026-07-01") == daily.after(at("00:00", "2026-07-01"))


def test_a_time_that_the_clock_leaps_over_comes_once_right_after() -> None:
    """On the day when Berlin has no 02:30, the daily job runs at 03:00, and at 02:30 the day after."""
    daily = schedule("30 2 * * *", timezone="Europe/Berlin")

    times = list(islice(daily.ticks(at("00:00", "2026-03-28")), 3))

    expected = [at("01:30", "2026-03-28"), at("01:00", "2026-03-29"), at("00:30", "2026-03-30")]
    assert expected == times


def test_a_time_that_the_clock_has_twice_comes_once() -> None:
    """On the day when Berlin has 02:30 twice, the daily job runs once."""
    daily = schedule("30 2 * * *", timezone="Europe/Berlin")

    times = list(islice(daily.ticks(at("00:00", "2026-10-24")), 3))

    expected = [at("00:30", "2026-10-24"), at("00:30", "2026-10-25"), at("01:30", "2026-10-26")]
    assert expected == times


def test_every_quarter_of_an_hour_goes_on_through_the_change() -> None:
    """What follows elapsed time has neither a gap nor a double when the clock is put back."""
    often = schedule("*/15 * * * *", timezone="Europe/Berlin")

    times = list(islice(often.ticks(at("23:00", "2026-10-24")), 20))

    assert {dt.timedelta(minutes=15)} == {later - one for one, later in pairwise(times)}


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_a_time_noticed_in_time_fires_once_whatever_the_policy(missed: str) -> None:
    """The policy is about what was missed; nothing was."""
    due = decide(schedule(missed=missed), at("12:05:00"), at("12:05:01"))

    assert ((at("12:05"),), 0, at("12:10")) == (due.runs, due.missed, due.next_at)


@pytest.mark.parametrize(
    ("missed", "now", "runs", "lost"),
    [
        ("skip", "12:22:00", [], 4),
        ("skip", "12:20:05", ["12:20"], 3),
        ("once", "12:22:00", ["12:20"], 3),
        ("once", "12:20:05", ["12:20"], 3),
        ("all", "12:22:00", ["12:10", "12:15", "12:20"], 1),
        ("all", "12:20:05", ["12:05", "12:10", "12:15", "12:20"], 0),
    ],
)
def test_what_was_missed_is_decided_by_the_policy(missed: str, now: str, runs: list[str], lost: int) -> None:
    """Skip: none; once: one for all; all: the newest most_missed, beside the one that is on time."""
    due = decide(schedule(missed=missed, most_missed=3), at("12:05"), at(now))

    assert [at(run) for run in runs] == list(due.runs)
    assert (lost, at("12:25")) == (due.missed, due.next_at)


def test_a_year_away_is_decided_in_no_time() -> None:
    """However long no launcher ran, the newest times are found, and the next one is ahead."""
    due = decide(
        schedule("* * * * *", missed="all", most_missed=3), at("12:00", "2025-03-02"), at("12:00:50")
    )

    assert [at("11:58"), at("11:59"), at("12:00")] == list(due.runs)
    assert at("12:01") == due.next_at
    assert due.missed >= 4000
