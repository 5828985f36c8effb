"""The bench's values, words and pictures; what it measures is not measured here."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from bench import report
from bench.draw import Panel, draw, number
from bench.goals import goals
from bench.results import Figure, Results, Row, from_json

SVG = "{http://www.w3.org/2000/svg}"


def fresh(ours: list[float], theirs: list[float]) -> Figure:
    """Give the figure of fresh processes with these samples."""
    rows = [
        Row(name="ours, <a> process", is_ours=True, settings="two slots", samples={"jobs/s": ours}),
        Row(name="RQ, two workers", samples={"jobs/s": theirs}),
    ]
    return Figure(name="fresh", title="Fresh & new", how="9 jobs", measures=["jobs/s"], rows=rows)


def run(*figures: Figure, is_quick: bool = False) -> Results:
    """Give a run with these figures."""
    machine, versions = {"processor": "2 cores"}, {"Python": "3.11"}
    return Results(machine=machine, versions=versions, is_quick=is_quick, figures=list(figures))


def test_results_survive_being_written_and_read() -> None:
    """What a run has measured can be kept as JSON and read again."""
    given = run(fresh([500.0], [100.0]))
    assert given == from_json(json.loads(json.dumps(given.as_json())))


def test_a_ratio_is_that_of_the_medians() -> None:
    """One lucky round decides nothing."""
    figure = fresh([400.0, 9_000.0, 500.0], [100.0, 90.0, 1.0])
    assert pytest.approx(500 / 90) == figure.ratio("ours", "RQ", "jobs/s")


def test_where_less_is_better_the_ratio_is_turned_round() -> None:
    """A ratio above one always speaks for ours."""
    figure = fresh([2.0], [8.0])
    figure.is_rate = False
    assert 4.0 == figure.ratio("ours", "RQ", "jobs/s")


def test_what_was_not_measured_has_no_ratio() -> None:
    """A peer that could not be run is left out, never compared with nothing."""
    assert None is fresh([400.0], []).ratio("ours", "RQ", "jobs/s")
    assert None is fresh([400.0], [100.0]).ratio("ours", "Celery", "jobs/s")


@pytest.mark.parametrize(("ours", "is_reached"), [(401.0, True), (399.0, False)])
def test_a_goal_is_reached_or_not(ours: float, is_reached: bool) -> None:  # noqa: FBT001 - a case
    """A figure that falls short is written as it is."""
    results = run(fresh([ours], [100.0]))
    assert [is_reached] == [goal.is_reached for goal in goals(results)]
    assert is_reached is not ("**no**" in report.document(results))


def test_the_page_shows_every_row_with_its_range() -> None:
    """A reader sees the median, the least and the greatest, the ratio, the settings and the machine."""
    page = report.document(run(fresh([400.0, 500.0, 450.0], [100.0, 100.0, 100.0])))
    assert "| RQ, two workers | 100 (100 - 100) | 4.5 x |" in page
    assert "450 (400 - 500)" in page
    assert "- ours, <a> process: two slots" in page
    assert "| processor | 2 cores |" in page


def test_a_quick_run_says_so() -> None:
    """Nobody takes a smoke run for a measurement."""
    assert "quick run" in report.document(run(fresh([1.0], [1.0]), is_quick=True))
    assert "quick run" not in report.document(run(fresh([1.0], [1.0])))


@pytest.mark.parametrize(("load", "is_said"), [("4.5, 3.0, 2.0", True), ("0.2, 3.0, 2.0", False)])
def test_a_busy_machine_is_said_to_be_busy(load: str, is_said: bool) -> None:  # noqa: FBT001 - a case
    """A reader learns that other programs took their share."""
    results = run(fresh([1.0], [1.0]))
    results.machine["load when it began"] = load
    assert is_said is ("kept this machine busy" in report.document(results))


def test_notes_say_what_is_missing() -> None:
    """What was left out is said where its figure would stand."""
    figure = fresh([400.0], [])
    figure.notes.append("Left out, what needs redis: not to be had")
    assert "not to be had" in report.document(run(figure))


def test_pictures_are_xml_with_a_bar_for_each_row() -> None:
    """A name with a special character does not break the picture."""
    panel = Panel(figure=fresh([400.0, 420.0], [100.0]), measure="jobs/s")
    picture = ET.fromstring(draw([panel], "a < b"))  # noqa: S314 - our own
    classes = [each.get("class") for each in picture.iter(f"{SVG}rect")]
    assert ["ours", "peer"] == classes
    assert "ours, <a> process" in [each.text for each in picture.iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_numbers() -> None:
    """The length of a bar is its share of the longest sample."""
    panel = Panel(figure=fresh([400.0], [100.0]), measure="jobs/s")
    picture = ET.fromstring(draw([panel], "bars"))  # noqa: S314 - our own
    ours, theirs = (float(each.get("width", "")) for each in picture.iter(f"{SVG}rect"))
    assert 4.0 == pytest.approx(ours / theirs, rel=0.01)


def test_pictures_of_nothing_are_empty_and_whole() -> None:
    """A run without a figure draws nothing, and does not fail."""
    pictures = report.pictures(run())
    assert ["performance.svg", "performance-latency.svg"] == list(pictures)
    assert all(list(ET.fromstring(each).iter(f"{SVG}rect")) == [] for each in pictures.values())  # noqa: S314 - our own


@pytest.mark.parametrize(("value", "shown"), [(14_263.4, "14,263"), (98.76, "98.8"), (0.456, "0.46")])
def test_numbers_have_the_digits_they_are_worth(value: float, shown: str) -> None:
    """Nobody reads a hundredth of a job a second."""
    assert shown == number(value)
