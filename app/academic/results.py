"""A grade as a page shows it: to the student without what is kept from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from app.academic.grading.gradescope.markup import markup_of
from app.academic.grading.results import GradeReport

if TYPE_CHECKING:
    import datetime as dt

    from app.academic.grading.results import TestResult
    from app.academic.models import Submission

# A test's status in the colours and words of the pages.
_STATES: Final = {
    "passed": ("completed", "passed"),
    "failed": ("failed", "failed"),
    "error": ("failed", "stopped with an error"),
    "timeout": ("failed", "took too long"),
    "skipped": ("cancelled", "skipped"),
    "waiting": ("pending", "waits for a person"),
}
_HIDDEN: Final = ("held", "shown later")
# A person's verdicts: a criterion is neither passed nor failed.
_BY_HAND: Final = frozenset({"judged", "points_taken", "waiting"})


@dataclass(frozen=True, kw_only=True)
class ShownTest:
    """One test of the result; points are None where they are kept back."""

    state: str
    word: str
    title: str
    points: float | None
    max_points: float | None
    message: str = ""
    output: str = ""
    markup: Markup = Markup()  # noqa: RUF009 - a text, and so frozen


@dataclass(frozen=True, kw_only=True)
class ShownResult:
    """What became of a submission."""

    is_graded: bool
    # Whether a person has yet to judge a part of it.
    is_waiting: bool
    # Whether some tests, and so the total, are kept from the reader.
    is_hidden: bool
    score: float | None
    points: float
    # Of the tests that are shown.
    passed: int
    # The tests that a program ran, hidden ones too; criteria of a person are not among them.
    counted: int
    tests: tuple[ShownTest, ...]
    feedback: str
    output: str
    # How parts were graded, where the reader should know.
    notes: tuple[str, ...]
    graded_at: dt.datetime


def shown_result(submission: Submission, *, is_staff: bool) -> ShownResult | None:
    """Give the result as its reader may see it, or None while there is none."""
    grade = submission.grade
    if grade is None:
        return None
    report = GradeReport.from_json(grade.report)
    is_hidden = not is_staff and not submission.is_score_shown
    shown = [_is_shown(test, submission, is_staff=is_staff) for test in report.tests]
    is_graded = grade.score is not None
    return ShownResult(
        is_graded=is_graded,
        is_waiting=report.outcome == "waiting",
        is_hidden=is_hidden,
        score=None if is_hidden else grade.score,
        points=grade.points,
        passed=sum(
            test.is_passed and test.verdict not in _BY_HAND
            for test, is_open in zip(report.tests, shown, strict=True)
            if is_open
        ),
        counted=sum(test.verdict not in _BY_HAND for test in report.tests),
        tests=tuple(_test(test, is_open) for test, is_open in zip(report.tests, shown, strict=True)),
        # The text counts hidden tests too; what it says of the others stands beside each of them.
        feedback="" if report.outcome != "not_gradable" and report.tests else report.feedback,
        output=report.output,
        notes=tuple(dict.fromkeys(part.note for part in report.parts if part.note)),
        graded_at=grade.graded_at,
    )


def _is_shown(test: TestResult, submission: Submission, *, is_staff: bool) -> bool:
    if is_staff or test.visibility == "visible" or submission.is_released:
        return True
    return test.visibility == "after_due_date" and submission.is_due


def _test(test: TestResult, is_open: bool) -> ShownTest:  # noqa: FBT001 - zipped with the tests
    if not is_open:
        state, word = _HIDDEN
        return ShownTest(state=state, word=word, title="Hidden test", points=None, max_points=None)
    is_judged = test.verdict in _BY_HAND - {"waiting"}
    state, word = ("completed", "judged") if is_judged else _STATES[test.status]
    return ShownTest(
        state=state,
        word=word,
        title=test.title,
        points=None if test.status == "waiting" else test.points,
        max_points=test.max_points,
        message=test.message if is_judged or not test.is_passed else "",
        output="" if test.markup else test.output,
        # Cleaned when it was made; once more, since what is stored is older than this program.
        markup=Markup(markup_of(test.markup, "html")),  # noqa: S704
    )
