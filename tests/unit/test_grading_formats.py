"""Assignment folders: every key has a default, and every problem is named at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.errors import AssignmentError
from app.academic.grading.formats import Attempts, Late, load_assignment
from app.academic.grading.parts.python_tests import PythonTests

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.parts.base import Part

MANIFEST = """\
title: Linked list
points: 40
submit: {files: [linked_list.py, node.py], max_bytes: 5000}
due: 2026-12-01T23:59
late_due: 2026-12-04T23:59-05:00
course: CS 2401
slug: linked-list
late: {per: hour, minus_percent: 2.5, grace_minutes: 5}
attempts: {max: 20, window_hours: 12, window_max: 10, counts: best}
groups: {max: 1}
visibility: after_due_date
similarity: {kind: text, base: [stub.py], flag_at: 60}
parts:
  - type: python-tests
    path: checks/
    points: 30
    visibility: hidden
    limits: {wall: 4, cpu: 2, memory_mb: 128}
  - {path: more/test_more.py, points: 10, tests: {"test_more.py::test_a": 2}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with tests in several places."""
    for name in ("checks/test_list.py", "more/test_more.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("import linked_list\ndef test_a(): pass\n", encoding="utf-8")
    return tmp_path


def python_tests(part: Part) -> PythonTests:
    """Return the part as the type it must be."""
    assert isinstance(part, PythonTests)
    return part


def problems(folder: Path, manifest: str) -> tuple[str, ...]:
    """Return what is wrong with a manifest."""
    (folder / "assignment.yaml").write_text(manifest, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        load_assignment(folder)
    return caught.value.problems


def test_a_bare_test_file_is_an_assignment(tmp_path: Path) -> None:
    """Without a manifest everything has its default, and the tests' import names what to hand in."""
    (tmp_path / "leap_test.py").write_text("import unittest\nfrom leap import leap_year\n", encoding="utf-8")

    spec = load_assignment(tmp_path)

    assert ("leap.py",) == spec.submit.files
    assert (100.0, None, None) == (spec.points, spec.due, spec.late_due)
    part = python_tests(spec.parts[0])
    assert (tmp_path / "leap_test.py",) == part.files
    assert (10.0, 5.0, 512) == (part.limits.wall, part.limits.cpu, part.limits.memory_mb)


def test_a_full_manifest_is_read(folder: Path) -> None:
    """Every key of the manifest arrives, times in UTC."""
    (folder / "assignment.yaml").write_text(MANIFEST, encoding="utf-8")

    spec = load_assignment(folder)

    assert ("Linked list", 40.0) == (spec.title, spec.points)
    assert ("linked_list", "node") == spec.submit.modules
    assert datetime(2026, 12, 1, 23, 59, tzinfo=UTC) == spec.due
    assert datetime(2026, 12, 5, 4, 59, tzinfo=UTC) == spec.late_due
    assert ("text", ("stub.py",), 60) == (spec.similarity.kind, spec.similarity.base, spec.similarity.flag_at)
    first, second = (python_tests(part) for part in spec.parts)
    limits = first.limits
    assert ("hidden", 4.0, 2.0, 128) == (first.visibility, limits.wall, limits.cpu, limits.memory_mb)
    assert {"test_more.py::test_a": 2.0} == dict(second.tests)
    assert "after_due_date" == second.visibility
    assert ("CS 2401", "linked-list") == (spec.course, spec.slug)
    assert Late(per="hour", minus_percent=2.5, grace_minutes=5) == spec.late
    assert Attempts(max=20, window_hours=12, window_max=10, counts="best") == spec.attempts


def test_all_problems_are_told_at_once_with_file_line_and_key(folder: Path) -> None:
    """An instructor repairs a manifest in one go."""
    found = problems(folder, "titel: x\npoints: -1\nsubmit: {files: [../x.py], max_bytes: big}\ndue: soon\n")

    assert (
        "assignment.yaml, line 1: titel: expected one of the keys attempts, course, due, groups, late, "
        "late_due, parts, points, similarity, slug, submit, title, visibility; did you mean title?" in found
    )
    assert "assignment.yaml, line 2: points: expected a number above 0" in "\n".join(found)
    assert "assignment.yaml, line 3: submit.files: expected names like solution.py" in "\n".join(found)
    assert "assignment.yaml, line 3: submit.max_bytes: expected a whole number" in "\n".join(found)
    assert "assignment.yaml, line 4: due: expected a time like" in "\n".join(found)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("parts: [{type: exam}]\n", "parts[0].type: expected one of python-tests"),
        ("parts: [{path: /etc}]\n", "parts[0].path: expected a path inside"),
        ("parts: [{path: nowhere}]\n", "parts[0].path: expected a test file"),
        ("parts: [{path: checks, limits: {wall: 0}}]\n", "limits.wall: expected a number above 0"),
        ("parts: [{path: checks, limits: {proccesses: 3}}]\n", "limits.proccesses: expected one of the keys"),
        ("parts: [{path: checks, visibility: secret}]\n", "visibility: expected one of visible, hidden"),
        ("parts: []\n", "parts: expected a list"),
        ("title: a\ntitle: b\n", "line 2: title: expected each key once"),
        ("just a text\n", "expected keys with values"),
        ("a: [\n", "this is not YAML"),
        ("points: .nan\n", "points: expected a number"),
        ("points: true\n", "points: expected a number"),
        ("due: 2026-12-02\nlate_due: 2026-12-01\n", "late_due: expected a time after due"),
        ("slug: Linked List\n", "slug: expected at most 60 small letters"),
        ("late: {per: week}\n", "late.per: expected one of day, hour, once"),
        ("late: {minus_percent: 101}\n", "late.minus_percent: expected a number from 0 to 100"),
        ("late: {minus_procent: 1}\n", "did you mean minus_percent?"),
        ("attempts: {max: 0}\n", "attempts.max: expected a whole number from 1"),
        ("attempts: {window_hours: 2}\n", "attempts.window_hours: expected window_max beside it"),
        ("attempts: {counts: first}\n", "attempts.counts: expected one of last, best, chosen"),
        ("attempts: 3\n", "attempts: expected keys with values"),
        ("groups: {max: 2}\n", "groups.max: expected 1: each student hands in alone"),
        ("visibility: secret\n", "visibility: expected one of visible, hidden"),
        ("title: !!python/object:os.system {}\n", "title: expected a plain value"),
    ],
)
def test_each_mistake_is_named(folder: Path, manifest: str, told: str) -> None:
    """A message says which key, and what was expected."""
    assert told in "\n".join(problems(folder, manifest))


def test_a_folder_without_tests_is_no_assignment(tmp_path: Path) -> None:
    """There must be something to grade with."""
    with pytest.raises(AssignmentError, match="a test file"):
        load_assignment(tmp_path)


def test_samples_are_not_tests(folder: Path) -> None:
    """Test files beside the sample solution belong to it."""
    (folder / "test_own.py").write_text("import solution\n", encoding="utf-8")
    (folder / "solution").mkdir()
    (folder / "solution" / "test_of_solution.py").write_text("", encoding="utf-8")

    assert "test_of_solution.py" not in {
        file.name for file in python_tests(load_assignment(folder).parts[0]).files
    }
