"""Whole programs in the sandbox: fed, judged by what they print, and ended when they do not end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.academic.grading import grader, selftest
from app.academic.grading.errors import AutograderError
from app.academic.grading.formats import load_assignment
from app.academic.grading.sandbox import TIERS

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.results import GradeReport

MANIFEST = """\
points: 10
parts:
  - type: io-cases
    files: [table.txt]
    limits: {cpu: 1, wall: 4, memory_mb: 256, disk_mb: 4}
    test_cases:
      - {input: "1 2", output: "3", points: 4}
      - {input: "20 22", output: "42", points: 3, visibility: hidden}
      - batched: [{input: "0 0", output: "0"}, {input: "1 -1", output: "0"}]
        points: 3
"""
RIGHT = b"a, b = map(int, input().split())\nprint(a + b)\n"


@pytest.fixture(params=TIERS, autouse=True)
def tier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Confine by one tier after the other, where the machine has it."""
    name: str = request.param
    try:
        selftest.choose_confinement((name,))
    except AutograderError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(grader, "choose_confinement", lambda: selftest.choose_confinement((name,)))
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an assignment with three cases."""
    (tmp_path / "assignment.yaml").write_text(MANIFEST, "utf-8")
    (tmp_path / "table.txt").write_text("7\n", "utf-8")
    return tmp_path


def run(folder: Path, source: bytes) -> GradeReport:
    """Grade a program."""
    return grader.grade(load_assignment(folder), {"main.py": source})


def test_a_right_program_gets_everything(folder: Path) -> None:
    """What is read from standard input and printed decides."""
    report = run(folder, RIGHT)
    assert ("graded", 10.0, 3) == (report.outcome, report.score, report.passed)


def test_a_batch_gives_its_points_together(folder: Path) -> None:
    """One wrong run of a batch loses the batch, and the message says which run."""
    report = run(folder, b"a, b = map(int, input().split())\nprint(abs(a) + abs(b))\n")
    assert [4.0, 3.0, 0.0] == [test.points for test in report.tests]
    assert report.tests[2].message.startswith("Run 2 of 2:\nLine 1: '2' instead of '0'.")


def test_a_wrong_case_shows_what_went_in_and_out(folder: Path) -> None:
    """The student reads input, output and expectation, and of a hidden case nothing."""
    report = run(folder, b"print(input())\n").for_student()
    assert (
        "Line 1: '1 2' instead of '3'.\n\nInput:\n1 2\n\nYour output:\n1 2\n\nExpected:\n3"
        == report.tests[0].message
    )
    assert "20 22" not in repr(report.tests[1])
    assert "42" not in report.feedback


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        (b"while True: pass", "time_limit"),
        (b"import time\ntime.sleep(60)", "time_limit"),
        (b"while True: print('x' * 1000)", "output_limit"),
        (b"x = bytearray(10**9)", "memory_limit"),
        (b"f = open('x', 'wb')\nwhile True: f.write(b'y' * 4096)", "runtime_error disk_limit"),
        (b"import os\nos.fork()", "runtime_error"),
        (b"import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "runtime_error"),
        (b"print(3)\nexit(1)", "runtime_error"),
        (b"print(3", "runtime_error"),
        (b"import os\nos._exit(0)", "wrong_answer"),
    ],
)
def test_every_end_has_its_verdict(folder: Path, source: bytes, verdict: str) -> None:
    """Limits, signals, exit statuses and silence are told apart, and none of them gives points."""
    manifest = folder / "assignment.yaml"
    manifest.write_text(manifest.read_text("utf-8").partition('      - {input: "20')[0], "utf-8")
    report = run(folder, source)
    assert 0.0 == report.score
    # A full disk is an exception in the program, or is seen from outside first.
    assert report.tests[0].verdict in verdict.split()


def test_a_program_ends_as_python_does(folder: Path) -> None:
    """Threads are waited for, exit handlers run, sys.exit(0) is an end, and its own name is __main__."""
    source = (
        b"import atexit, sys, threading\n"
        b"a, b = map(int, sys.stdin.readline().split())\n"
        b"assert sys.stdin.read() == '' and __name__ == '__main__' and sys.argv == ['main.py']\n"
        b"atexit.register(lambda: print(a + b))\n"
        b"threading.Thread(target=lambda: None).start()\n"
        b"sys.exit(0)\n"
    )
    assert 10.0 == run(folder, source).score


def test_files_lie_beside_the_program(folder: Path) -> None:
    """What the assignment gives is there to read, and what the program writes stays in its box."""
    source = b"assert open('table.txt').read() == '7\\n'\nopen('table.txt', 'w').write('')\n"
    assert 10.0 == run(folder, source + RIGHT).score


def test_the_site_does_not_show_in_a_traceback(folder: Path) -> None:
    """The student reads the lines of the program itself and no path of the machine."""
    report = run(folder, b"def f():\n    raise KeyError('hm')\nf()\n")
    assert "KeyError: 'hm'" in report.tests[0].output
    assert "app/academic" not in report.tests[0].output
