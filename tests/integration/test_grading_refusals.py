"""What cannot be tested apart from the program is refused with a sentence that says what to do instead."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.check import check_assignment

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {
    "subprocess": (
        'subprocess.run([sys.executable, "solution.py"], check=True)',
        "cannot be started by a test",
    ),
    "path": (
        'subprocess.run([sys.executable, os.path.join(os.getcwd(), "solution.py")], check=True)',
        "io-cases",
    ),
    "open": ('open("solution.py").read()', "inspect.getsource reads it"),
    "case": ("solution.take(unittest.TestCase())", "stays in the tests"),
    "frame": ("solution.take(sys._getframe())", "stays in the tests"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_check_says_what_cannot_cross(tmp_path: Path, what: str) -> None:
    """Checking the assignment tells the instructor before students meet it."""
    statement, sentence = REFUSED[what]
    (tmp_path / "solution").mkdir()
    (tmp_path / "solution" / "solution.py").write_text("def take(x): return x\n", encoding="utf-8")
    tests = f"""
        import os, subprocess, sys, unittest
        import solution
        def test_it(): {statement}
    """
    (tmp_path / "test_it.py").write_text(textwrap.dedent(tests), encoding="utf-8")

    found = check_assignment(tmp_path)

    assert not found.is_sound
    assert sentence in "".join(found.warnings)


def test_source_text_may_be_looked_at(tmp_path: Path) -> None:
    """A test that forbids a word in the program reads it through inspect."""
    (tmp_path / "solution").mkdir()
    (tmp_path / "solution" / "solution.py").write_text("def f(): return 1\n", encoding="utf-8")
    tests = """
        import ast, inspect, solution
        def test_it():
            text = inspect.getsource(solution)
            assert "eval" not in text and ast.parse(text).body[0].name == "f"
    """
    (tmp_path / "test_it.py").write_text(textwrap.dedent(tests), encoding="utf-8")

    assert () == check_assignment(tmp_path).warnings
