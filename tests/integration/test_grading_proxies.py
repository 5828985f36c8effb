"""An instructor's ordinary test file runs unchanged against proxies of the student's program."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade

if TYPE_CHECKING:
    from app.academic.grading.results import TestResult

BANK = Path(__file__).parents[1] / "data" / "grading" / "bank"
TESTS = {
    f"{owner.name}::{node.name}" if isinstance(owner, ast.ClassDef) else node.name
    for owner in ast.walk(ast.parse((BANK / "tests" / "test_bank.py").read_text(encoding="utf-8")))
    if isinstance(owner, (ast.Module, ast.ClassDef))
    for node in owner.body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def test_ordinary_python_works_through_the_wall() -> None:
    """Functions, classes, operators, exceptions, callbacks and values behave as without a sandbox."""
    program = (BANK / "solution" / "bank.py").read_bytes()

    report = grade(load_assignment(BANK), {"bank.py": program})

    assert TESTS == {test.name.partition("[")[0].partition("::")[2] for test in report.tests}
    assert [] == [(test.name, test.message) for test in report.tests if not test.is_passed]


def run(tmp_path: Path, tests: str, program: str) -> dict[str, TestResult]:
    """Grade a program against tests, both given as text; return the results by short name."""
    (tmp_path / "test_it.py").write_text(tests, encoding="utf-8")
    report = grade(load_assignment(tmp_path), {"solution.py": program.encode()})
    return {test.name.rpartition("::")[2]: test for test in report.tests}


def test_output_of_the_program_is_the_tests_to_read(tmp_path: Path) -> None:
    """What the program prints is in the result of the test that made it print."""
    found = run(tmp_path, "import solution\ndef test_a(): solution.f()\n", "def f(): print('seen')\n")

    assert "seen\n" == found["test_a"].output


def test_a_returned_object_never_sees_the_expected_value(tmp_path: Path) -> None:
    """An object that claims to equal everything is not even asked."""
    program = (
        "class Liar(int):\n    def __eq__(self, o): print(o); return True\n"
        "    def __hash__(self): return 0\n    def __sub__(self, o): print(o); return 0\n"
        "class Other:\n    def __eq__(self, o): print(o); return True\n"
        "    def __rsub__(self, o): print(o); return 0\n    __sub__ = __rsub__\n"
        "def a(): return Liar(1)\ndef b(): return Other()\n"
    )
    tests = (
        "import solution\n"
        "def test_equal_a(): assert solution.a() == 4711\n"
        "def test_equal_b(): assert solution.b() == 4711\n"
        "def test_near_a(): assert abs(solution.a() - 4711) < 1\n"
        "def test_near_b(): assert abs(4711 - solution.b()) < 1\n"
    )

    found = run(tmp_path, tests, program)

    assert {"failed"} == {test.status for test in found.values()}
    assert "4711" not in "".join(test.output for test in found.values())


def test_one_endless_test_leaves_the_others_their_points(tmp_path: Path) -> None:
    """A test that runs out of time fails alone: the next one has a fresh program."""
    manifest = "parts: [{path: ., limits: {cpu: 1, wall: 2}}]\n"
    (tmp_path / "assignment.yaml").write_text(manifest, encoding="utf-8")
    tests = "import solution\ndef test_a(): solution.loop()\ndef test_b(): assert solution.ok() == 1\n"

    found = run(tmp_path, tests, "def loop():\n    while True: pass\ndef ok(): return 1\n")

    assert ("timeout", "time_limit") == (found["test_a"].status, found["test_a"].verdict)
    assert "passed" == found["test_b"].status


def test_a_missing_function_fails_only_its_own_tests(tmp_path: Path) -> None:
    """`from solution import a, b` without b leaves the tests of a alone."""
    tests = "from solution import a, b\ndef test_a(): assert a() == 1\ndef test_b(): assert b() == 1\n"

    found = run(tmp_path, tests, "def a(): return 1\n")

    assert "passed" == found["test_a"].status
    assert "has no attribute 'b'" in found["test_b"].message


def test_swallowing_everything_does_not_hide_a_crash(tmp_path: Path) -> None:
    """A test that expects any exception does not pass because the program ended itself."""
    tests = (
        "import pytest, solution\n"
        "def test_a():\n    with pytest.raises(BaseException): solution.f()\n"
        "def test_b():\n    try: solution.f()\n    except BaseException: pass\n"
    )

    found = run(tmp_path, tests, "import os\ndef f(): os._exit(0)\n")

    assert {"error"} == {test.status for test in found.values()}
