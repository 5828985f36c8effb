"""What every template keeps to, whatever page it is on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FOLDER = TOP / "app" / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
# Mails are read outside of the site, where its policy does not hold and its stylesheet is not.
PAGES = [
    name
    for name in TEMPLATES
    if not re.match(r"mail/(_layout|_macros|digest|grade|receipt|staff_alarm)\.", name)
]
PARTIALS = [name for name in TEMPLATES if name.rpartition("/")[2].startswith("_")]
SOURCES = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.txt"), *(TOP / "app").rglob("*.py")]
TEXT = "\n".join(path.read_text() for path in SOURCES if "data" not in path.parts)
INLINE = re.compile(
    r"""<style\b|<script\b(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=["']|\bhx-on\b|javascript:""", re.IGNORECASE
)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_inline_style_or_script(name: str) -> None:
    """The content security policy allows neither, so a page that had one would not work."""
    assert [] == INLINE.findall((FOLDER / name).read_text())


@pytest.mark.parametrize("name", PAGES)
def test_no_page_switches_escaping_off(name: str) -> None:
    """What people and programs wrote is shown, never run."""
    assert [] == re.findall(r"\|\s*safe\b|autoescape\s+false", (FOLDER / name).read_text())


@pytest.mark.parametrize("name", PARTIALS)
def test_every_partial_is_used(name: str) -> None:
    """A fragment that nothing includes is taken away."""
    assert re.search(rf"""["']{re.escape(name)}["']""", TEXT)


@pytest.mark.parametrize("target", sorted(set(re.findall(r'hx-target(?::inherited)?="#([\w-]+)"', TEXT))))
def test_every_target_exists(target: str) -> None:
    """What htmx is to put somewhere has a place to go."""
    assert re.search(rf'\bid="{target}"', TEXT)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    """No page needs another site: what it loads is served by this one."""
    assert [] == re.findall(r"""(?:src|href)=["'](?:https?:)?//""", (FOLDER / name).read_text())
