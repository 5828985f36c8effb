"""The weaker mode runs in the sandbox as well, says what it is, and takes the same tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.academic.grading import grader, selftest
from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade

WORKSHOP = Path(__file__).parents[1] / "data" / "grading" / "workshop"
PROGRAM = (WORKSHOP / "solution" / "workshop.py").read_text(encoding="utf-8")
MANIFEST = "parts: [{type: python-tests, path: tests, mode: same-process, limits: {wall: 3}}]\n"
ENDS = {
    "loop": ("def third():\n    while True: pass", "time_limit"),
    "exit": ("def third(): os._exit(0)", "runtime_error"),
    "crash": ("def third(): os.abort()", "runtime_error"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an assignment whose tests run beside the program."""
    shutil.copytree(WORKSHOP, tmp_path / "a")
    (tmp_path / "a" / "assignment.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path / "a"


@pytest.mark.parametrize("tier", ["bubblewrap", "landlock"])
def test_a_right_program_gets_everything_and_is_told_how(
    folder: Path, tier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every ordinary test passes beside the program, in both tiers, and the report says which mode it was."""
    if selftest.try_tier(tier) is not None:
        pytest.skip(f"{tier} does not hold here")
    monkeypatch.setattr(grader, "choose_confinement", lambda: selftest.choose_confinement((tier,)))

    report = grade(load_assignment(folder), {"workshop.py": PROGRAM.encode()})

    assert report.points == report.score, [test.message for test in report.tests if not test.is_passed]
    assert "detects accidents, not cheating" in report.parts[0].note
    assert "detects accidents" in load_assignment(folder).parts[0].summary


@pytest.mark.parametrize("end", ENDS)
def test_a_box_that_ends_costs_one_test(folder: Path, end: str) -> None:
    """The test that ran fails; the others go on in a new box, each run once."""
    code, verdict = ENDS[end]
    program = PROGRAM.replace("def third(): return 1 / 3", code)

    report = grade(load_assignment(folder), {"workshop.py": program.encode()})

    bad = {"error", "timeout", "failed"}
    failed = [(test.name, test.verdict) for test in report.tests if test.status in bad]
    assert [("test_workshop.py::test_approx", verdict)] == failed


def test_a_program_that_cannot_be_loaded_gets_nothing(folder: Path) -> None:
    """A syntax error is the student's, and the text names it."""
    report = grade(load_assignment(folder), {"workshop.py": b"def f(:\n"})

    assert ("graded", 0.0) == (report.outcome, report.score)
    assert "SyntaxError" in report.feedback or "invalid syntax" in report.feedback


def test_what_the_program_claims_of_its_tests_is_bounded(folder: Path) -> None:
    """Invented tests, endless points and huge texts are not taken."""
    program = """
import gc
ask = next(one for one in gc.get_objects() if type(one).__name__ == "_Harness").ask
ask({"event": {"collected": [{"id": "x" * 9000, "points": 1e999, "title": [1], "tags": 5}, 7]}})
ask({"event": {"test": "nobody", "status": "passed", "score": 5}})
ask({"event": ["start"]})
ask({"event": {"start": ["x"]}})
"""

    report = grade(load_assignment(folder), {"workshop.py": program.encode()})

    assert 0 == report.score
    assert all(len(test.name) <= 500 and test.max_points <= 1 for test in report.tests)
