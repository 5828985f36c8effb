"""What a person can name is documented, or the build fails."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from app.academic.cli import academic_cli
from app.accounts.cli import accounts_cli
from app.config import SETTINGS
from app.runner import events
from app.runner.cli import jobs_cli
from app.runner.settings import Settings

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
RUNNER_SETTINGS = {f"RUNNER_{each.name.upper()}" for each in fields(Settings)}
GROUPS: tuple[click.Group, ...] = (jobs_cli, accounts_cli, academic_cli)
COMMANDS = {f"{group.name} {name}": command for group in GROUPS for name, command in group.commands.items()}


def words(document: str) -> str:
    """Give the text of a document."""
    return (DOCS / document).read_text()


def rows(document: str) -> set[str]:
    """Give what stands in code quotes in the first column of a document's tables."""
    firsts = re.findall(r"^\| (.*?) \|", words(document), re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`([A-Za-z_]+)", first)}


def test_the_settings_documented_are_the_settings_there_are() -> None:
    """Every setting has its row in docs/settings.md, and no row speaks of one that is gone."""
    assert RUNNER_SETTINGS | set(SETTINGS) == rows("settings.md")


def test_the_events_documented_are_the_events_there_are() -> None:
    """Every event's name has its row in docs/events.md."""
    assert set(events.NAMES) <= rows("events.md")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented_with_its_options(name: str) -> None:
    """Each command of ours, and each of its options, is in docs/commands.md."""
    sections = re.split(r"^##? ", words("commands.md"), flags=re.MULTILINE)
    section = [each for each in sections if re.match(rf"`flask {re.escape(name)}[ `]", each)]
    assert 1 == len(section)
    options = [max(each.opts, key=len) for each in COMMANDS[name].params if isinstance(each, click.Option)]
    assert [] == [option for option in options if not re.search(rf"`{option}[ `]", section[0])]


def test_every_error_is_documented() -> None:
    """Each exception that the runner raises is in docs/errors.md, with what to do about it."""
    assert set() == errors() - rows("errors.md")


def errors() -> set[str]:
    """Give the names of the runner's exceptions: what derives, however far, from its two roots."""
    bases = dict(pair for path in (TOP / "app/runner").rglob("*.py") for pair in classes(path))
    found = {"RunnerError", "HandlerSignal"}
    for _ in bases:
        found |= {name for name, above in bases.items() if above & found}
    return found


def classes(path: Path) -> list[tuple[str, set[str]]]:
    """Give the classes of a file, each with its bases."""
    tree = ast.parse(path.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [(node.name, {ast.unparse(base) for base in node.bases}) for node in nodes]
