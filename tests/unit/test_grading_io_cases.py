"""io-cases: cases from a list, from pairs of files and from other systems' files, and their problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.errors import AssignmentError
from app.academic.grading.formats import load_assignment
from app.academic.grading.parts.io_cases import IoCases

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.programs.cases import Group


def load(folder: Path, manifest: str = "", **files: str) -> tuple[Group, ...]:
    """Write the files, read the folder, give the groups of its only part."""
    if manifest:
        (folder / "assignment.yaml").write_text(manifest, "utf-8")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (part,) = load_assignment(folder).parts
    assert isinstance(part, IoCases)
    return part.groups


def test_pairs_of_files_are_an_assignment(tmp_path: Path) -> None:
    """A folder of 1.in with 1.out needs no manifest; numbers give the order, samples count nothing."""
    groups = load(
        tmp_path,
        cases__10_dot_in="10",
        cases__10_dot_out="100",
        cases__2_dot_in="2",
        cases__2_dot_ans="4",
        cases__sample1_dot_in="1",
        cases__sample1_dot_out="1",
        cases__alone_dot_in="no output",
    )
    assert ["2", "10", "sample1"] == [group.title for group in groups]
    assert [1.0, 1.0, 0.0] == [group.points for group in groups]
    assert (b"10", ("100",)) == (groups[1].cases[0].given, groups[1].cases[0].expected)
    assert ("main.py",) == load_assignment(tmp_path).submit.files


MANIFEST = """\
parts:
  - type: io-cases
    run: python3 sums.py --fast
    checker: {name: floats, precision: 3}
    test_cases:
      - {in: 1.in, out: 1.out, points: 5}
      - {input: "3 4", output: "7", visibility: hidden, name: Small}
      - {input: "", exit: 2, args: [--wrong]}
      - batched:
          - {input: a, output: b, checker: exact}
          - {input: c, output: d}
        points: 10
"""


def test_a_list_has_files_and_texts(tmp_path: Path) -> None:
    """Input and output stand in files or in the list; a batch is one group; checkers may differ."""
    groups = load(tmp_path, MANIFEST, **{"1_dot_in": "1\n", "1_dot_out": "1\n"})
    assert [5.0, 1.0, 1.0, 10.0] == [group.points for group in groups]
    assert ("Small", "hidden") == (groups[1].title, groups[1].visibility)
    first, small, wrong = (group.cases[0] for group in groups[:3])
    assert ("sums.py", ("--fast",)) == (first.program.script, first.program.arguments)
    assert ("floats", 3) == (first.checker.name, first.checker.precision)
    assert (b"3 4\n", ("7\n",), None) == (small.given, small.expected, small.status)
    assert (b"", None, 2, ("--wrong",)) == (
        wrong.given,
        wrong.expected,
        wrong.status,
        wrong.program.arguments,
    )
    assert ["exact", "floats"] == [case.checker.name for case in groups[3].cases]
    assert ("sums.py",) == load_assignment(tmp_path).submit.files


def test_dmoj_is_read(tmp_path: Path) -> None:
    """An init.yml beside its files is an assignment."""
    groups = load(
        tmp_path,
        init_dot_yml="checker: {name: floatsabs, args: {precision: 2}}\n"
        "test_cases:\n- {in: a, out: b, points: 3}\n",
        a="1\n",
        b="2\n",
    )
    (case,) = groups[0].cases
    assert (3.0, "floats", "absolute", 2) == (
        groups[0].points,
        case.checker.name,
        case.checker.near,
        case.checker.precision,
    )


def test_github_classroom_is_read(tmp_path: Path) -> None:
    """Each test of an autograding.json becomes a case with its comparison, command and points."""
    tests = [
        {"name": "Greets", "run": "python3 hello.py", "input": "Emma", "output": "hello, Emma", "points": 2},
        {
            "name": "Counts",
            "run": "python3 hello.py",
            "output": "^\\d+$",
            "comparison": "regex",
            "timeout": 0.1,
        },
    ]
    groups = load(tmp_path, autograding_dot_json=json.dumps({"tests": tests}))
    greets, counts = (group.cases[0] for group in groups)
    assert (["Greets", "Counts"], [2.0, 1.0]) == ([it.title for it in groups], [it.points for it in groups])
    assert (b"Emma\n", "included", ("hello, Emma",)) == (greets.given, greets.checker.name, greets.expected)
    assert ("regex-search", 6.0, "hello.py") == (counts.checker.name, counts.wall, counts.program.script)


def test_check50_is_read(tmp_path: Path) -> None:
    """Each check of a check50 file is a group; its lines are typed, its pieces expected in their order."""
    text = """\
check50:
  checks:
    greets:
      - run: python3 hello.py
        stdin: [Emma, "30"]
        stdout: [hello, Emma]
        exit: 0
"""
    (group,) = load(tmp_path, _dot_cs50_dot_yaml=text)
    (case,) = group.cases
    assert ("greets", b"Emma\n30\n", ("hello", "Emma"), 0) == (
        group.title,
        case.given,
        case.expected,
        case.status,
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("run: java Main", "line 3: parts[0].run: expected a Python program"),
        ("checker: fuzzy", "parts[0].checker: expected one of standard, exact"),
        ("test_cases: [{in: 9.in, out: 9.out}]", "parts[0].test_cases[0].out: expected a file"),
        ("test_cases: [{in: ../../etc/passwd, out: x}]", "parts[0].test_cases[0].in: expected a file"),
        ("test_cases: [{input: a}]", "parts[0].test_cases[0].out: expected a file with the expected output"),
        (
            "test_cases: [{input: a, output: '(', checker: regex}]",
            "output: expected a regular expression, but",
        ),
        ("test_cases: [{input: a, output: b, pionts: 3}]", "pionts: expected one of the keys"),
        ("import: nothing.yml", "parts[0].import: expected a file in the assignment's folder"),
        ("title: x", "parts[0].test_cases: expected cases"),
    ],
)
def test_problems_name_line_and_key(tmp_path: Path, part: str, said: str) -> None:
    """What is wrong with a case is told with its place and what was expected there."""
    (tmp_path / "assignment.yaml").write_text(f"parts:\n  - type: io-cases\n    {part}\n", "utf-8")
    with pytest.raises(AssignmentError) as raised:
        load_assignment(tmp_path)
    assert said in str(raised.value)
