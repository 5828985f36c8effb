"""Results as pages show them: markup that cannot act, and words for what a person judged."""

from __future__ import annotations

import datetime as dt

from app.academic.grading.results import GradeReport, TestResult
from app.academic.models import Assignment, Grade, Submission
from app.academic.results import ShownResult, shown_result


def shown(*tests: TestResult, outcome: str = "graded") -> ShownResult:
    """Give what a student sees of a grade with these tests."""
    report = GradeReport(outcome=outcome, verdict="accepted", points=10.0, tests=tests)  # type: ignore[arg-type]
    grade = Grade(
        outcome=outcome,
        score=5.0 if outcome == "graded" else None,
        points=10.0,
        hides="nothing",
        report=report.to_json(),
        graded_at=dt.datetime.now(dt.UTC),
    )
    found = shown_result(Submission(assignment=Assignment(), grade=grade), is_staff=False)
    assert found is not None
    return found


def test_markup_of_an_autograder_cannot_act() -> None:
    """Whatever was stored, scripts and handlers do not reach the page, and the rest is not escaped twice."""
    stored = "<script>alert(1)</script><b onclick=x()>ok</b> &amp; <a href='javascript:y'>so</a>"
    (test,) = shown(TestResult(name="a", title="a", status="failed", markup=stored)).tests
    assert "<b>ok</b> &amp; <a>so</a>" == str(test.markup)


def test_markup_of_a_hidden_test_is_hidden() -> None:
    """A test that is kept back keeps its markup back as well."""
    (test,) = shown(
        TestResult(name="a", title="a", status="failed", visibility="hidden", markup="<b>x</b>")
    ).tests
    assert "" == str(test.markup)


def test_a_criterion_is_judged_and_neither_passed_nor_failed() -> None:
    """What a person found is read in full, and does not count among the tests that passed."""
    result = shown(
        TestResult(name="t", title="t", status="passed"),
        TestResult(name="c", title="c", status="passed", verdict="judged", message="well done"),
        TestResult(name="d", title="d", status="failed", verdict="points_taken", message="-2  short"),
    )
    assert (1, 1) == (result.passed, result.counted)
    assert [("judged", "well done"), ("judged", "-2  short")] == [
        (test.word, test.message) for test in result.tests[1:]
    ]


def test_what_waits_has_no_points_yet() -> None:
    """A criterion that nobody has judged shows no points: it is not a zero."""
    waiting = TestResult(name="c", title="c", status="waiting", verdict="waiting", max_points=4.0)
    result = shown(waiting, outcome="waiting")
    assert (True, False) == (result.is_waiting, result.is_graded)
    assert (None, 4.0, "waits for a person") == (
        result.tests[0].points,
        result.tests[0].max_points,
        result.tests[0].word,
    )
