"""docs/performance.md, written from the results: what was measured, on what, how, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.draw import Panel, draw, number
from bench.goals import Goal, goals

if TYPE_CHECKING:
    from bench.results import Figure, Results, Row

# Processes that want a core, on average, before anything of ours is started.
BUSY: Final = 1.0
TEMPLATE: Final = Path(__file__).with_name("page.md")
TOP_PANELS: Final = (("fresh", 0), ("reused", 0), ("postgres", 0), ("enqueue", 0), ("table", 0))
LOW_PANELS: Final = (("latency", 0), ("latency", 1), ("idle", 0), ("idle", 1))


def document(results: Results) -> str:
    """Write the whole page."""
    parts = {
        "machine": _machine(results),
        "goals": _goals(goals(results)),
        "figures": "\n".join(_figure(figure) for figure in results.figures),
        "settings": _settings(results),
    }
    page = TEMPLATE.read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace(f"{{{{{name}}}}}\n", part)
    return page


def pictures(results: Results) -> dict[str, str]:
    """Draw both pictures; by the name of their file."""
    return {
        "performance.svg": draw(_panels(results, TOP_PANELS), "Jobs per second, ours and the peers"),
        "performance-latency.svg": draw(_panels(results, LOW_PANELS), "Latency, memory and CPU at rest"),
    }


def summary(results: Results) -> str:
    """Say in a terminal what the page would say."""
    return "\n".join([_goals(goals(results)), *(_figure(figure) for figure in results.figures)])


def _panels(results: Results, wanted: tuple[tuple[str, int], ...]) -> list[Panel]:
    found = ((results.figure(name), at) for name, at in wanted)
    return [Panel(figure=figure, measure=figure.measures[at]) for figure, at in found if figure]


def _machine(results: Results) -> str:
    lines = [f"| {name} | {value} |" for name, value in results.machine.items()]
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    quick = (
        "\nThis was a quick run: its figures are a smoke test and nothing more.\n" if results.is_quick else ""
    )
    table = ["| machine | |", "|---|---|", *lines, f"| versions | {versions} |"]
    return "\n".join([*table, _busy(results), quick])


def _busy(results: Results) -> str:
    """Warn of a machine that did other work when the run began; the run's own load comes later."""
    load = float(results.machine.get("load when it began", "0").partition(",")[0])
    if load < BUSY:
        return ""
    return (
        "\nOther programs kept this machine busy while it was measured (see its load): all figures are lower "
        "than on a calm one, and vary more between rounds. What waits for the disk suffers most.\n"
    )


def _goals(found: list[Goal]) -> str:
    if not found:
        return ""
    words = {True: "yes", False: "**no**", None: "not measured"}
    lines = [
        f"| {each.what} | {_bound(each)} | {_measured(each)} | {words[each.is_reached]} |" for each in found
    ]
    return "\n".join(
        ["## The goals\n", "| figure | goal | measured | reached |", "|---|---|---|---|", *lines, ""]
    )


def _bound(goal: Goal) -> str:
    return f"{'at least' if goal.is_least else 'at most'} {goal.wanted:,g} {goal.unit}"


def _measured(goal: Goal) -> str:
    return "-" if goal.measured is None else f"{number(goal.measured)} {goal.unit}"


def _figure(figure: Figure) -> str:
    measure = figure.measures[0].rpartition(", ")[0] or figure.measures[0]
    head = ["", *figure.measures, f"ours is better, {measure}"]
    lines = [_line(head), "|---" * len(head) + "|"]
    for row in figure.rows:
        cells = (_cell(row, each) for each in figure.measures)
        lines.append(_line([row.name, *cells, _ratio(figure, row)]))
    notes = [f"\n{note}" for note in figure.notes]
    return "\n".join([f"### {figure.title}\n", f"{figure.how}.\n", *lines, *notes, ""])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: Row, measure: str) -> str:
    samples, median = row.samples.get(measure), row.median(measure)
    if not samples or median is None:
        return "-"
    if len(samples) == 1:
        return number(median)
    return f"{number(median)} ({number(min(samples))} - {number(max(samples))})"


def _ratio(figure: Figure, row: Row) -> str:
    first = next((each for each in figure.rows if each.is_ours), None)
    if first is None or row is first or figure.name == "table":
        return ""
    ratio = figure.ratio(first.name, row.name, figure.measures[0])
    return "" if ratio is None or row.is_ours else f"{ratio:.1f} x"


def _settings(results: Results) -> str:
    rows = (row for figure in results.figures for row in figure.rows if row.settings)
    known = {row.name: row.settings for row in rows}
    return "\n".join([*(f"  - {name}: {settings}" for name, settings in known.items()), ""])
