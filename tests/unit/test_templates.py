"""What can be said of the templates and the stylesheet without running anything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import jinja2
import pytest

from app.runner.queries import STATES

APP: Final = Path(__file__).parents[2] / "app"
TEMPLATES: Final = APP / "templates"
EVERY: Final = {
    path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
    for path in TEMPLATES.rglob("*.html")
}
EVERYTHING: Final = "\n".join(EVERY.values())
STYLE: Final = (APP / "static" / "style.css").read_text(encoding="utf-8")
SCRIPT: Final = (APP / "static" / "app.js").read_text(encoding="utf-8")
PYTHON: Final = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py"))


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_template_compiles(name: str) -> None:
    """No template has a mistake that only its page would show."""
    jinja2.Environment(autoescape=True).compile(EVERY[name], name)


@pytest.mark.parametrize("name", sorted(name for name in EVERY if name.split("/")[-1].startswith("_")))
def test_a_part_is_used(name: str) -> None:
    """A part that no page includes is dead."""
    quoted = re.compile(rf"[\"']{re.escape(name)}[\"']")

    assert quoted.search(EVERYTHING + PYTHON)


# Programs for mail know no stylesheets.
@pytest.mark.parametrize("name", sorted(name for name in EVERY if not name.startswith("mail/")))
def test_nothing_is_inline(name: str) -> None:
    """The policy forbids script, style and handlers in markup: they would silently do nothing."""
    markup = EVERY[name]

    assert [] == re.findall(
        r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|\shx-on|hx-[a-z]+=\"js:", markup
    )


def test_every_target_exists() -> None:
    """What htmx is told to swap is somewhere on a page."""
    targets = set(re.findall(r'hx-target="#([a-z-]+)"', EVERYTHING))
    targets |= set(re.findall(r'in_place\([^)]*\)?, "([a-z-]+)"\)', EVERYTHING))
    targets |= set(re.findall(r'verbs\(row, "([a-z-]+)"', EVERYTHING))
    ids = set(re.findall(r'id="([a-z-]+)["{]', EVERYTHING))

    assert {"job-list", "notices", "job", "failure-list"} <= targets
    assert set() == targets - ids


def test_a_part_that_polls_is_named_like_its_file() -> None:
    """DOM id `job-list` is template `runner/_job_list.html`, so that either leads to the other."""
    for name in ("job-list", "job", "failure-list", "launcher-list"):
        assert f'id="{name}"' in EVERY[f"runner/_{name.replace('-', '_')}.html"]


def test_the_dashboard_needs_nothing_of_the_site() -> None:
    """Templates of the runner load and link to nothing outside of it."""
    ours = "\n".join(text for name, text in EVERY.items() if name.startswith("runner/"))
    loaded = re.findall(r"{% (?:include|extends|from|import) [\"']([^\"']+)", ours)
    linked = re.findall(r"url_for\([\"']([^\"']+)", ours)

    assert [] == [name for name in loaded if not name.startswith("runner/")]
    assert [] == [name for name in linked if not name.startswith("runner.")]


def colours(scheme: int) -> dict[str, str]:
    """Read the colours of the light (0) or the dark (1) scheme from the tokens."""
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", STYLE)
    return {name: values[scheme] for name, *values in pairs}


def luminance(colour: str) -> float:
    """Give the relative luminance as WCAG defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


GROUNDS: Final = ("paper", "surface", "sunken")
NO_TEXT: Final = {*GROUNDS, "line", "line-strong", "on-accent"}


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("name", sorted(set(colours(0)) - NO_TEXT))
def test_text_has_contrast_on_every_ground(name: str, scheme: int) -> None:
    """WCAG 2.2 AA asks for 4.5, light and dark alike."""
    palette = colours(scheme)

    assert 4.5 <= min(contrast(palette[name], palette[ground]) for ground in GROUNDS)


@pytest.mark.parametrize("scheme", [0, 1])
def test_controls_have_contrast(scheme: int) -> None:
    """The edges of fields ask for 3, the words on a button for 4.5."""
    palette = colours(scheme)

    assert 3 <= min(contrast(palette["line-strong"], palette[ground]) for ground in GROUNDS)
    assert 4.5 <= contrast(palette["on-accent"], palette["accent"])


def test_every_status_has_its_colour() -> None:
    """A state without a colour of its own would look like plain text."""
    assert [] == [state for state in STATES if f".is-{state} " not in STYLE and f".is-{state}," not in STYLE]


def test_the_script_listens_to_events_that_exist() -> None:
    """A misspelt event of htmx is never heard and never missed."""
    htmx = next((APP / "static" / "vendor").glob("htmx-4*.js")).read_text(encoding="utf-8")

    assert [] == [name for name in re.findall(r'"(htmx:[a-z:]+)"', SCRIPT) if name not in htmx]
