"""Rubrics: how they are read, and how what people mark makes a total."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.academic.grading.check import check_assignment
from app.academic.grading.errors import AssignmentError
from app.academic.grading.formats import load_assignment
from app.academic.grading.grader import grade
from app.academic.grading.parts.rubric import Criterion, Item, Rubric
from app.academic.rubric_marks import fold
from app.academic.rubric_models import RubricMark

if TYPE_CHECKING:
    from pathlib import Path

    from app.academic.grading.results import GradeReport

MANIFEST = """\
points: 20
submit: {files: [answers.json]}
parts:
  - {type: answer-key, points: 10, questions: [{id: q1, kind: integer, key: 2}]}
  - type: rubric
    points: 30
    criteria:
      - {name: Style, max: 10, items: [[-3, no docstrings], [0, well named]]}
      - {name: Bonus, max: 5, items: [[2, drew a picture]]}
"""


@pytest.fixture
def report(tmp_path: Path) -> GradeReport:
    """Give what grading comes to before a person has judged."""
    (tmp_path / "assignment.yaml").write_text(MANIFEST, "utf-8")
    return grade(load_assignment(tmp_path), {"answers.json": b'{"answers": {"q1": "2"}}'})


def marked(criterion: str, points: float, *items: tuple[float, str], comment: str = "") -> RubricMark:
    """Give a mark of the second part."""
    return RubricMark(
        submission_id=1,
        part=1,
        criterion=criterion,
        points=points,
        items=json.dumps(items),
        change=0.0,
        comment=comment,
    )


def test_what_a_person_has_to_judge_is_never_a_zero(report: GradeReport) -> None:
    """Before, the work waits, with what was found automatically."""
    assert "waiting" == report.outcome
    assert ["passed", "waiting", "waiting"] == [test.status for test in report.tests]
    assert [False, True] == [part.is_waiting for part in report.parts]


def test_the_total_comes_with_the_last_criterion(report: GradeReport) -> None:
    """One criterion of two still waits; with both, automatic and manual parts count by their weight."""
    half = fold(report, [marked("Style", 7, (-3, "no docstrings"), comment="See line 3.")])
    assert ("waiting", "failed", 7.0) == (half.outcome, half.tests[1].status, half.tests[1].points)
    assert "-3  no docstrings\nSee line 3." == half.tests[1].message
    full = fold(half, [marked("Style", 7), marked("Bonus", 2, (2, "drew a picture"))])
    # 10 of 10 automatic; 9 of 15, which is 18 of 30, by hand: 28 of 40, scaled to 20.
    assert ("graded", 14.0) == (full.outcome, full.score)
    assert [10.0, 18.0] == [part.earned for part in full.parts]


def test_judging_again_replaces(report: GradeReport) -> None:
    """A later mark takes the place of an earlier one, and a mark that is gone makes the work wait again."""
    full = fold(report, [marked("Style", 0), marked("Bonus", 0)])
    better = fold(full, [marked("Style", 10), marked("Bonus", 5)])
    assert ([5.0, 20.0], "waiting") == (
        [full.score, better.score],
        fold(better, [marked("Style", 10)]).outcome,
    )


@pytest.mark.parametrize(
    ("criterion", "changes", "points"),
    [
        (Criterion(name="a", max=10), -3, 7),
        (Criterion(name="a", max=10), -30, 0),
        (Criterion(name="a", max=10), 5, 10),
        (Criterion(name="a", max=10, starts_full=False), 4, 4),
        (Criterion(name="a", max=10, starts_full=False), -4, 0),
    ],
)
def test_points_stay_within_the_criterion(criterion: Criterion, changes: float, points: float) -> None:
    """Items give and take, never below nothing and never above the criterion's most."""
    assert points == criterion.points_for(changes)


def test_items_that_only_give_start_from_nothing(tmp_path: Path) -> None:
    """Where every item gives points the criterion starts at zero, else it starts full."""
    (tmp_path / "assignment.yaml").write_text(MANIFEST, "utf-8")
    rubric = load_assignment(tmp_path).parts[1]
    assert isinstance(rubric, Rubric)
    assert [True, False] == [one.starts_full for one in rubric.criteria]
    assert (Item(points=-3.0, text="no docstrings"), Item(points=0.0, text="well named")) == rubric.criteria[
        0
    ].items


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ("[]", "parts[0].criteria: expected a list"),
        ("[{max: 3}]", "parts[0].criteria[0].name: expected what is judged"),
        ("[{name: a}, {name: a}]", "parts[0].criteria: expected a name of its own"),
        ("[{name: a, items: [[x, y]]}]", "parts[0].criteria[0].items: expected points and a text"),
        ("[{name: a, items: [-3]}]", "parts[0].criteria[0].items: expected a list of pairs"),
        ("[{name: a, max: -1}]", "parts[0].criteria[0].max: expected a number above 0"),
    ],
)
def test_problems_of_a_rubric_are_named(tmp_path: Path, criteria: str, said: str) -> None:
    """What is wrong is told with its place."""
    text = f"submit: {{files: [essay.txt]}}\nparts:\n  - type: rubric\n    criteria: {criteria}\n"
    (tmp_path / "assignment.yaml").write_text(text, "utf-8")
    with pytest.raises(AssignmentError) as raised:
        load_assignment(tmp_path)
    assert said in str(raised.value)


def test_a_sample_solution_need_not_be_judged(tmp_path: Path) -> None:
    """Trying an assignment does not complain of criteria that only a person can judge."""
    (tmp_path / "assignment.yaml").write_text(MANIFEST, "utf-8")
    (tmp_path / "solution").mkdir()
    (tmp_path / "solution" / "answers.json").write_text('{"answers": {"q1": "2"}}', "utf-8")
    assert () == check_assignment(tmp_path).warnings
