"""The rules of the house that no tool of others checks."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
MOST_LINES = 350


def python_files(folder: str) -> list[Path]:
    """Give our own files under a folder; what lies in a `data` folder is material."""
    found = (path.relative_to(TOP) for path in (TOP / folder).rglob("*.py"))
    return sorted(path for path in found if "data" not in path.parts)


SOURCES = python_files("app")
TESTS = python_files("tests")
# A sleep may be a poll with a bound, or the work of a handler that a test interrupts.
NAMES_OF_SLEEP = {"sleep", "wait_for_timeout"}
MAY_SLEEP = (ast.While, ast.For, ast.ClassDef)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_file_is_short_enough_to_be_read(source: Path) -> None:
    """No file of the application is longer than a person reads in one go."""
    lines = (TOP / source).read_text().count("\n")
    assert lines <= MOST_LINES


@pytest.mark.parametrize("source", TESTS, ids=str)
def test_no_test_sleeps(source: Path) -> None:
    """A test waits for a condition, with a bound; it never hopes that some seconds are enough."""
    tree = ast.parse((TOP / source).read_text())
    assert [] == [f"{source}:{line}" for line in sleeps(tree)]


@pytest.mark.parametrize("source", [path for path in TESTS if path.name.startswith("test_")], ids=str)
def test_every_test_says_which_rule_it_defends(source: Path) -> None:
    """Each test has a docstring: when it fails, the reader learns what is broken."""
    nodes = ast.walk(ast.parse((TOP / source).read_text()))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    tests = [node for node in functions if node.name.startswith("test_")]
    assert [] == [node.name for node in tests if not ast.get_docstring(node)]


def sleeps(node: ast.AST) -> Iterator[int]:
    """Find the calls of a sleep outside of polls and handlers, by line."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, MAY_SLEEP):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func).rpartition(".")[2] in NAMES_OF_SLEEP:
            yield child.lineno
        yield from sleeps(child)
