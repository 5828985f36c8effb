"""The chart macros, rendered as the pages render them: strict, escaped, without inline style."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parents[2] / "app" / "templates"
SVG = "svg"


@pytest.fixture
def render() -> Any:
    """Render one macro call."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True)

    def rendered(call: str, **values: Any) -> str:
        names = "histogram, bars, line, sparkline"
        source = f'{{% from "_charts.html" import {names} %}}{{{{ {call} }}}}'
        return environment.from_string(source).render(**values)

    return rendered


def tree(markup: str) -> ET.Element:
    """Parse markup that must be well formed."""
    return ET.fromstring(markup)  # noqa: S314 - our own output


def test_a_histogram_has_a_bar_per_step_in_proportion(render: Any) -> None:
    """The highest bar fills the height, the others stand in proportion to it."""
    # Given / When
    figure = tree(render("histogram('h', 'Scores', [0, 2, 4, 1])"))
    # Then
    heights = [bar.attrib["height"] for bar in figure.iter("rect")]
    assert ["0.00", "80.00", "160.00", "40.00"] == heights


def test_a_histogram_can_be_read_without_seeing_it(render: Any) -> None:
    """Title, description, a title per bar and a table with the same numbers are there."""
    figure = tree(render("histogram('h', 'Scores', [0, 2], unit='students')"))
    svg = figure.find(SVG)
    assert svg is not None
    assert ("img", "h-title h-desc") == (svg.attrib["role"], svg.attrib["aria-labelledby"])
    assert "2 students in 2 steps from 0 to 100; at most 2 in one step." == svg.findtext("desc")
    assert ["0 to 50: 0", "50 to 100: 2"] == [bar.findtext("title") for bar in figure.iter("rect")]
    cells = [[cell.text for cell in row] for row in figure.findall(".//tbody/tr")]
    assert [["0", "50", "0"], ["50", "100", "2"]] == cells


def test_a_mark_splits_a_histogram(render: Any) -> None:
    """Bars from the mark on look different, and the mark says what it is."""
    figure = tree(render("histogram('h', 'Similarity', [1] * 20, mark=50, mark_label='a look')"))
    assert 10 == sum("is-marked" in bar.attrib["class"] for bar in figure.iter("rect"))
    assert "a look" in [text.text for text in figure.iter("text")]


@pytest.mark.parametrize(
    "call",
    [
        "histogram('h', 'Scores', [])",
        "histogram('h', 'Scores', [0, 0])",
        "bars('h', 'Means', [])",
        "bars('h', 'Means', [('One', none)])",
        "line('h', 'Trend', [])",
    ],
)
def test_nothing_is_said_and_not_drawn(render: Any, call: str) -> None:
    """Without numbers there is a sentence instead of an empty picture."""
    figure = tree(render(call))
    assert None is figure.find(SVG)
    assert "Nothing to show yet." == figure.findtext("p")


def test_bars_show_every_value_and_the_missing_ones(render: Any) -> None:
    """A value that is missing is named, not drawn as zero without a word."""
    figure = tree(
        render("bars('b', 'Means', rows, maximum=100, unit=' %')", rows=[("One", 50), ("Two", None)])
    )
    assert ["190.00", "0.00"] == [bar.attrib["width"] for bar in figure.iter("rect")]
    assert ["One: 50 %", "Two: no value"] == [bar.findtext("title") for bar in figure.iter("rect")]


def test_bars_stay_inside_the_picture(render: Any) -> None:
    """A bonus above the maximum, or a negative number, does not leave the frame."""
    figure = tree(render("bars('b', 'Means', [('Bonus', 130), ('Odd', -5)], maximum=100)"))
    assert ["380.00", "0.00"] == [bar.attrib["width"] for bar in figure.iter("rect")]


def test_a_line_is_interrupted_where_a_value_is_missing(render: Any) -> None:
    """A gap is a gap: no line is drawn through what is not known."""
    figure = tree(render("line('l', 'Trend', rows)", rows=[("a", 1), ("b", 2), ("c", None), ("d", 2)]))
    path = figure.find(".//path")
    assert path is not None
    assert "M50.00 95.00L246.67 15.00M640.00 15.00" == path.attrib["d"]
    assert 3 == len(figure.findall(".//circle"))


def test_a_line_of_one_value_is_a_point(render: Any) -> None:
    """One value alone is drawn too, without a division by zero."""
    assert 1 == len(tree(render("line('l', 'Trend', [('a', 3)])")).findall(".//circle"))


def test_a_sparkline_says_its_values(render: Any) -> None:
    """The small line has a title with the numbers, and is nothing without numbers."""
    assert "Load: 1, 2.5" == tree(render("sparkline('Load', [1, 2.5])")).findtext("title")
    assert "" == render("sparkline('Load', [])")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '" onload="x', "a & b"])
def test_labels_are_data(render: Any, name: str) -> None:
    """What people call things is escaped in text and in attributes."""
    figure = tree(render("bars('b', name, [(name, 1)])", name=name))
    assert name == figure.findtext("figcaption")
    assert name == figure.findtext(".//tbody/tr/th")


@pytest.mark.parametrize(
    "call",
    [
        "histogram('h', 'Scores', [1, 2], mark=50)",
        "bars('b', 'Means', [('One', 1.25)])",
        "line('l', 'Trend', [('a', 1), ('b', 0)])",
        "sparkline('Load', [0, 0])",
    ],
)
def test_charts_need_neither_script_nor_style(render: Any, call: str) -> None:
    """The content security policy forbids both, as elements and as attributes."""
    markup = render(call)
    assert None is re.search(r"<(script|style)|\s(style|on\w+)=", markup)
