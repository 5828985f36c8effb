"""Autograders made for Gradescope, unchanged, in bubblewrap: their results, and what they cannot reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.academic.grading import grader, selftest
from app.academic.grading.errors import AutograderError
from app.academic.grading.formats import load_assignment
from app.academic.grading.gradescope.demands import demands_of, describe
from app.academic.grading.sandbox import TIERS

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.results import GradeReport

RUN = """\
#!/usr/bin/env bash
cp /autograder/submission/calculator.py /autograder/source/
cd /autograder/source && python3 run_tests.py
"""
RUN_TESTS = """\
import unittest
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

suite = unittest.defaultTestLoader.discover("tests")
with open("/autograder/results/results.json", "w") as f:
    JSONTestRunner(visibility="visible", stream=f).run(suite)
"""
TEST = """\
import unittest
from gradescope_utils.autograder_utils.decorators import number, visibility, weight
from calculator import add


class TestAdd(unittest.TestCase):
    @weight(2)
    @number("1.1")
    def test_small(self):
        "Adds small numbers"
        self.assertEqual(add(1, 2), 3)

    @weight(3)
    @visibility("hidden")
    def test_negative(self):
        "Adds negative numbers"
        self.assertEqual(add(-1, -2), -3)
"""
MANIFEST = """\
points: 20
submit: {files: [calculator.py]}
parts: [{type: gradescope, limits: {total: 20, disk_mb: 4}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an assignment with an autograder of the usual form."""
    files = {"run_autograder": RUN, "run_tests.py": RUN_TESTS, "tests/test_add.py": TEST}
    for name, text in {"assignment.yaml": MANIFEST}.items() | {
        (f"autograder/{name}", text) for name, text in files.items()
    }:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def _with_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        selftest.choose_confinement(("bubblewrap",))
    except AutograderError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(grader, "choose_confinement", lambda: selftest.choose_confinement(("bubblewrap",)))


def run(folder: Path, source: str = "def add(a, b):\n    return a + b\n", program: str = "") -> GradeReport:
    """Grade a submission, by a program of the test's own if it gives one."""
    if program:
        (folder / "autograder" / "run_autograder").write_text(f"#!/bin/sh\n{program}\n", "utf-8")
    return grader.grade(load_assignment(folder), {"calculator.py": source.encode()})


@pytest.mark.usefixtures("_with_bubblewrap")
def test_an_autograder_runs_unchanged(folder: Path) -> None:
    """Its own runner, decorators and hidden tests give the score that they give at Gradescope."""
    right = run(folder)
    wrong = run(folder, "def add(a, b):\n    return abs(a) + abs(b)\n")
    assert ("graded", 20.0, 8.0) == (right.outcome, right.score, wrong.score)
    assert {"1.1) Adds small numbers": "visible", "Adds negative numbers": "hidden"} == {
        test.title: test.visibility for test in right.tests
    }
    assert "cheating" in right.parts[0].note


@pytest.mark.usefixtures("_with_bubblewrap")
def test_an_autograder_reaches_nothing_of_the_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the site's environment nor its files, the network or other processes are there."""
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    report = run(
        folder,
        program="""
        seen="$(cat /proc/*/environ; ls /home /root /etc/shadow; echo
        ls /proc | grep -c '^[0-9]*$'; cat /proc/net/dev | wc -l; id -u)"
        printf '{"score": 1, "output": "%s"}' "$(echo $seen | tr -cd 'a-zA-Z0-9 ')" > results/results.json
        """.replace("\n        ", "\n"),
    )
    said = report.tests[0].message
    assert "hunter2" not in said
    assert "root" not in said
    lines = said.split()
    assert (True, "3", "1000") == (int(lines[-3]) <= 6, lines[-2], lines[-1])


@pytest.mark.usefixtures("_with_bubblewrap")
@pytest.mark.parametrize(
    "program",
    [
        "exit 3",
        "echo '{\"score\": 1' > results/results.json",
        "ln -s /etc/passwd results/results.json",
        "rmdir results; ln -s /usr/bin results",
        "mkfifo results/results.json",
    ],
)
def test_no_readable_results_are_the_autograders_fault(folder: Path, program: str) -> None:
    """A missing or broken file, a link and a pipe are an error that staff reads, never a zero."""
    with pytest.raises(AutograderError, match=r"results\.json"):
        run(folder, program=program)


@pytest.mark.usefixtures("_with_bubblewrap")
def test_a_loop_is_ended(folder: Path) -> None:
    """What does not end is ended, and the student reads why."""
    manifest = folder / "assignment.yaml"
    manifest.write_text(MANIFEST.replace("total: 20", "total: 1"), "utf-8")
    report = run(folder, "while True:\n    pass\n")
    assert ("time_limit", 0.0) == (report.verdict, report.score)
    assert "did not end within 1 seconds" in report.tests[0].message


@pytest.mark.usefixtures("_with_bubblewrap")
def test_many_processes_share_the_memory(folder: Path) -> None:
    """A program that starts others cannot take more memory with them than one may have alone."""
    manifest = folder / "assignment.yaml"
    manifest.write_text(MANIFEST.replace("total: 20", "total: 20, memory_mb: 200"), "utf-8")
    hoard = "import time; kept = bytearray(60 << 20); time.sleep(60)"
    starts = f"for i in 1 2 3 4 5 6; do python3 -c '{hoard}' & done; wait"
    report = run(folder, program=starts)
    assert ("memory_limit", 0.0) == (report.verdict, report.score)


@pytest.mark.usefixtures("_with_bubblewrap")
def test_a_score_of_its_own_and_a_bonus_count(folder: Path) -> None:
    """The total is the file's own, out of what its tests name together; more than that is a bonus."""
    results = {
        "score": 12,
        "tests": [{"name": "a", "score": 1, "max_score": 10, "output": "<i>so</i>", "output_format": "html"}],
        "output": "well done",
    }
    report = run(folder, program=f"cat > results/results.json <<'END'\n{json.dumps(results)}\nEND")
    assert 24.0 == report.score
    assert ["All together", "a"] == [test.title for test in report.tests]
    assert ("so", "<i>so</i>") == (report.tests[1].message, report.tests[1].markup)


@pytest.mark.usefixtures("_with_bubblewrap")
def test_what_the_autograder_prints_is_its_own(folder: Path) -> None:
    """Its output is kept from students unless its results file says that they may see it."""
    program = "echo a secret; echo '{}' > results/results.json"
    assert [""] == [run(folder, program=program.format('{"score": 1}')).output]
    shown = run(folder, program=program.format('{"score": 1, "stdout_visibility": "visible"}'))
    assert "a secret\n" == shown.output


def test_without_bubblewrap_nothing_is_graded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner layer alone runs no other programs: the work is kept, and the student reads why."""
    try:
        selftest.choose_confinement((TIERS[1],))
    except AutograderError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(grader, "choose_confinement", lambda: selftest.choose_confinement((TIERS[1],)))
    report = run(folder)
    assert "not_gradable" == report.outcome
    assert "bubblewrap" in report.feedback


def test_what_the_set_up_would_install_is_listed() -> None:
    """setup.sh is not run; its packages are listed for the administrator, by where they come from."""
    setup = """\
#!/usr/bin/env bash
apt-get update && sudo apt-get install -y python3 \\
    gcc  # a compiler
pip3 install -r /autograder/source/requirements.txt numpy==1.26 && python3 -m pip install --upgrade pip
echo "apt-get install nothing"
"""
    demands = demands_of(setup)
    assert {"apt": ["python3", "gcc"], "pip": ["numpy==1.26", "pip"]} == {
        key: demands[key] for key in ("apt", "pip")
    }
    assert ["/autograder/source/requirements.txt"] == demands["requirements"]
    assert "apt: python3, gcc; pip: numpy==1.26, pip; " in describe(demands)
