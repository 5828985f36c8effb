"""What ordinary test files do with a program ends in the isolated mode as it does in plain pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade

WORKSHOP = Path(__file__).parents[1] / "data" / "grading" / "workshop"
PROGRAM = (WORKSHOP / "solution" / "workshop.py").read_text(encoding="utf-8")
# Ordinary mistakes: each fails a few tests, and must fail the same ones in both ways of running.
MISTAKES = {
    "nothing": ("", ""),
    "keeps the test's list": ("self.items = list(items)", "self.items = items"),
    "forgets to close": ("    finally:\n        filelike.close()", "    finally:\n        pass"),
    "always equal": ("def __eq__(self, other): return self.n == self._of(other)", "__eq__ = lambda *_: True"),
    "a default that is kept": ("(x, into=None): into = []", "(x, into=[]): into = into"),
    "wrong name": ("def roll(): return random.randint(1, 6)", "def roll(): return random.randrange(6) + 1"),
    "no cause": ('raise Wrong("wrapped") from e', 'raise Wrong("wrapped") from None'),
    "missing function": ("def same(x): return x", ""),
    "syntax error": ("def same(x): return x", "def same(x) return x"),
    "counts wrongly": ("self._ops += 1", "self._ops += 2"),
}  # fmt: skip
PLUGIN = """
import json, os
found = {}
def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        is_expected = hasattr(report, "wasxfail") and report.skipped
        if found.get(report.nodeid, "passed") == "passed":
            found[report.nodeid] = "passed" if is_expected else report.outcome
def pytest_sessionfinish():
    with open(os.environ["FOUND"], "w") as file: json.dump(found, file)
"""


def in_plain_pytest(folder: Path, program: str) -> dict[str, str]:
    """Return how each test ends where tests and program share a process."""
    tests = folder / "tests"
    shutil.copytree(WORKSHOP / "tests", tests)
    (tests / "workshop.py").write_text(program, encoding="utf-8")
    (folder / "plugin_of_test.py").write_text(PLUGIN, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "plugin_of_test", "-p", "no:cacheprovider"]
    subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(tests), str(tests)],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(folder),
            "FOUND": str(folder / "found"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        timeout=100,
        check=False,
    )
    found: dict[str, str] = json.loads((folder / "found").read_text())
    return found


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_test_ends_as_in_plain_pytest(tmp_path: Path, mistake: str) -> None:
    """Callbacks, mocks, files, patches, aliases, coroutines and subclasses behave as beside the program."""
    program = PROGRAM.replace(*MISTAKES[mistake]) if mistake != "nothing" else PROGRAM
    assert mistake == "nothing" or program != PROGRAM

    report = grade(load_assignment(WORKSHOP), {"workshop.py": program.encode()})

    isolated = {
        test.name: test.status if test.status in {"passed", "skipped"} else "failed" for test in report.tests
    }
    assert in_plain_pytest(tmp_path, program) == isolated
    assert (mistake == "nothing") == (report.score == report.points)
