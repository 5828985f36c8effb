"""What grade() reports, what it refuses, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.academic.grading import grader, sandbox, selftest
from app.academic.grading.check import check_assignment
from app.academic.grading.errors import AutograderError, SandboxUnavailable
from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade
from app.academic.grading.results import GradeReport
from app.academic.grading.run_folder import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TESTS = (
    "import solution\ndef test_one(): assert solution.f() == 1\ndef test_two(): assert solution.g() == 2\n"
)
GOOD = b"def f(): return 1\ndef g(): return 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an assignment that is nothing but a test file."""
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    """Put a file into an assignment."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_right_solution_gets_everything(folder: Path) -> None:
    """All tests passed is all the points."""
    report = grade(load_assignment(folder), {"solution.py": GOOD})

    assert ("graded", "accepted", 100.0) == (report.outcome, report.verdict, report.score)
    assert report.sandbox in sandbox.TIERS


def test_progress_is_told_for_each_test(folder: Path) -> None:
    """Whoever waits sees how many tests are done."""
    seen: list[tuple[int, int]] = []

    grade(
        load_assignment(folder),
        {"solution.py": GOOD},
        on_progress=lambda done, all_, _: seen.append((done, all_)),
    )

    assert [(0, 2), (1, 2), (2, 2)] == seen


def test_a_missing_file_is_not_a_grade(folder: Path) -> None:
    """Without the file that was asked for there is nothing to grade, and the attempt is not spent."""
    report = grade(load_assignment(folder), {"other.py": GOOD})

    assert "not_gradable" == report.outcome
    assert "solution.py" in report.feedback


@pytest.mark.parametrize(
    "data", [b"# coding: utf-7\n", b"\xff", b"x = 1\0", b"#!x\n# -*- coding: latin-1 -*-\n"]
)
def test_only_plain_utf_8_is_read(folder: Path, data: bytes) -> None:
    """Another encoding could make code of what reads as a comment."""
    assert "not_gradable" == grade(load_assignment(folder), {"solution.py": data}).outcome


def test_a_syntax_error_is_a_zero_that_says_so(folder: Path) -> None:
    """The student reads the line that Python cannot read."""
    report = grade(load_assignment(folder), {"solution.py": b"def f(:\n    pass\n"})

    assert ("graded", 0.0) == (report.outcome, report.score)
    assert "SyntaxError" in report.feedback
    assert "solution.py, line 1" in report.feedback


def test_a_failing_import_of_the_program_is_a_zero(folder: Path) -> None:
    """What fails in the student's file is the student's."""
    report = grade(load_assignment(folder), {"solution.py": b"import nothing_like_this\n"})

    assert 0.0 == report.score
    assert "ModuleNotFoundError" in report.feedback


def test_a_failing_import_of_the_tests_is_nobodys_grade(folder: Path) -> None:
    """A broken autograder never gives a zero."""
    write(folder, "assignment.yaml", "submit: {files: [solution.py]}\n")
    write(folder, "test_it.py", "import solution\nimport nothing_like_this\ndef test_one(): pass\n")

    with pytest.raises(AutograderError, match="nothing_like_this"):
        grade(load_assignment(folder), {"solution.py": GOOD})


def test_a_file_without_tests_is_nobodys_grade(folder: Path) -> None:
    """An assignment without tests is an autograder's failure."""
    write(folder, "test_it.py", "import solution\n")

    with pytest.raises(AutograderError, match="no tests"):
        grade(load_assignment(folder), {"solution.py": GOOD})


POINTED = '''
import unittest
import pytest
import solution
from gradescope_utils.autograder_utils.decorators import partial_credit, visibility, weight

class TestAll(unittest.TestCase):
    @weight(3)
    def test_weight(self):
        """The first function"""
        self.assertEqual(solution.f(), 1)

    @weight(1)
    @visibility("hidden")
    def test_hidden(self): self.assertEqual(solution.g(), 4711)

    @partial_credit(4)
    def test_partial(self, set_score=None): set_score(1)

@pytest.mark.points(2)
def test_marked(): assert solution.g() == 2
def test_mapped(): assert solution.g() == 2
'''


def test_points_come_from_decorators_marks_and_the_manifest(folder: Path) -> None:
    """Each way to give points counts, and raw points stay beside the scaled score."""
    write(folder, "test_it.py", POINTED)
    write(
        folder, "assignment.yaml", "points: 50\nparts: [{path: ., tests: {'test_it.py::test_mapped': 10}}]\n"
    )

    report = grade(load_assignment(folder), {"solution.py": GOOD})

    found = {test.name.rpartition("::")[2]: (test.points, test.max_points) for test in report.tests}
    assert {
        "test_weight": (3, 3),
        "test_hidden": (0, 1),
        "test_partial": (1, 4),
        "test_marked": (2, 2),
        "test_mapped": (10, 10),
    } == found
    assert (16.0, 20.0, 40.0) == (report.raw_score, report.raw_points, report.score)
    assert "The first function" in {test.title for test in report.tests}


def test_a_hidden_test_tells_a_student_nothing(folder: Path) -> None:
    """Neither feedback nor the student's report holds the expected value of a hidden test."""
    write(folder, "test_it.py", POINTED)

    report = grade(load_assignment(folder), {"solution.py": GOOD})

    assert "4711" in report.to_json()
    assert "4711" not in report.feedback
    assert "4711" not in report.for_student().to_json()
    assert "1 hidden test did not pass." in report.feedback


def test_a_report_survives_storage(folder: Path) -> None:
    """What is read back equals what was stored."""
    report = grade(load_assignment(folder), {"solution.py": b"def f(): return '\\ud800\\0'\n"})

    assert report == GradeReport.from_json(report.to_json())


def test_several_files_import_each_other(folder: Path) -> None:
    """A submission of several files is a program of several modules."""
    write(folder, "assignment.yaml", "submit: {files: [solution.py, helper.py]}\n")

    report = grade(
        load_assignment(folder),
        {"solution.py": b"from helper import f, g\n", "helper.py": GOOD, "junk.py": b"("},
    )

    assert "accepted" == report.verdict


def test_without_a_sandbox_nothing_is_graded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot confine code refuses, with the reason for each tier, and runs nothing."""
    monkeypatch.setattr(selftest, "try_tier", lambda tier: f"{tier} is broken")
    monkeypatch.setattr(selftest, "_read_note", lambda _: None)
    selftest._choose_tier.cache_clear()

    with pytest.raises(SandboxUnavailable, match="bubblewrap is broken; landlock: landlock is broken"):
        grade(load_assignment(folder), {"solution.py": GOOD})

    selftest._choose_tier.cache_clear()


@pytest.mark.parametrize("tier", sandbox.TIERS)
def test_the_self_test_passes_where_a_tier_holds(tier: str) -> None:
    """On this machine the self-test's attacks fail and its honest program works."""
    reason = selftest.try_tier(tier)
    if reason == "bwrap is not installed":
        pytest.skip(reason)
    assert reason is None


def test_the_self_test_finds_a_sandbox_with_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tier that lets a file outside be read does not hold."""
    readable = (*sandbox.readable_paths(sandbox.find_python(sandbox.choose_user())), "/tmp")
    monkeypatch.setattr(sandbox, "readable_paths", lambda _: readable)

    assert "a test program was not stopped: it read canary" == selftest.try_tier("landlock")


def test_the_choice_is_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The next process of this boot does not try again."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(selftest, "try_tier", lambda _: None)
    selftest._choose_tier.cache_clear()
    selftest.choose_confinement(("landlock",))
    selftest._choose_tier.cache_clear()
    monkeypatch.setattr(selftest, "try_tier", lambda _: "tried again")

    assert "landlock" == selftest.choose_confinement(("landlock",)).tier

    selftest._choose_tier.cache_clear()


@pytest.fixture
def shared_scratch() -> Iterator[Path]:
    """Give a temporary folder that boxes of other users can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="grading_test_", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    remove_tree(folder)


@pytest.mark.parametrize("tier", sandbox.TIERS)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_survives_the_job(folder: Path, shared_scratch: Path, how: signal.Signals, tier: str) -> None:
    """However the job's process ends, no process of its grading is left."""
    write(shared_scratch, "started", "")
    program = "import time\ndef f(): time.sleep(600)\ndef g(): pass\n"
    code = (
        "import sys; from pathlib import Path\nfrom app.academic.grading import grader, selftest\n"
        "from app.academic.grading.formats import load_assignment\n"
        f"grader.choose_confinement = lambda: selftest.choose_confinement(({tier!r},))\n"
        f"grader.grade(load_assignment(Path({str(folder)!r})), {{'solution.py': {program.encode()!r}}},"
        " on_progress=lambda *_: print('running', flush=True))\n"
    )
    job = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(shared_scratch)},
    )
    assert job.stdout
    assert b"running\n" == job.stdout.readline()
    wait_until(lambda: len(processes_naming(shared_scratch)) > 0)

    job.send_signal(how)
    job.wait(5)
    job.stdout.close()

    wait_until(lambda: not processes_naming(shared_scratch))


def processes_naming(path: Path) -> list[str]:
    """Return the numbers of the processes whose command line or folder is below a path."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            named = str(path).encode() in (entry / "cmdline").read_bytes()
            if entry.name.isdecimal() and (named or str(path) in str((entry / "cwd").readlink())):
                found.append(entry.name)
        except OSError:
            continue
    return found


def wait_until(condition: object, seconds: float = 5) -> None:
    """Wait for a condition, with a bound."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_an_assignment_is_tried_with_its_own_samples(folder: Path) -> None:
    """The sample solution should pass and the stub should not; both are told when not so."""
    write(folder, "solution/solution.py", "def f(): return 1\ndef g(): return 3\n")
    write(folder, "stub/solution.py", GOOD.decode())

    check = check_assignment(folder)

    assert not check.is_sound
    assert "solution/ does not pass test_it.py::test_two" in check.warnings[0]
    assert "stub/ gets all 100 points" in check.warnings[1]


def test_a_sound_assignment_has_no_warnings(folder: Path) -> None:
    """A solution with everything and a stub with less is as it should be."""
    write(folder, "solution/solution.py", GOOD.decode())
    write(folder, "stub/solution.py", "def f(): pass\n")

    assert check_assignment(folder).is_sound


def test_the_tests_process_gets_none_of_the_sites_secrets(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the trusted process holds no secret either."""
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    write(
        folder, "test_it.py", "import os, solution\ndef test_one(): assert 'SECRET_KEY' not in os.environ\n"
    )

    assert "accepted" == grader.grade(load_assignment(folder), {"solution.py": GOOD}).verdict
