"""The statistics as tables for spreadsheets: everything a page shows, with the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.academic.analytics import CourseNumbers
    from app.academic.figures import AssignmentReport
    from app.academic.item_analysis import ItemFigures
    from app.academic.statistics import Summary

Row = tuple[object, ...]
HEAD = ("part", "of", "figure", "value")


def assignment_rows(report: AssignmentReport) -> Iterator[Row]:
    """A row per figure: which part of the page, what it is about, its name, its value."""
    yield HEAD
    for name in ("enrolled", "submitted", "late", "missing", "not_gradable", "waiting", "failed", "attempts"):
        yield "counts", report.title, name.replace("_", " "), getattr(report, name)
    yield "counts", report.title, "median seconds to the grade", _rounded(report.median_seconds)
    for part, summary in (("counting", report.counting), ("first", report.first), ("best", report.best)):
        yield from _summary_rows(part, report.title, summary)
    yield from _steps("scores", report.counting.histogram, report.counting.points)
    yield from _steps("similarity", report.similarity, 100)
    for attempts, students in report.per_student:
        yield "attempts per student", attempts, "students", students
    yield from _hours(report)
    for test in report.tests:
        yield from _test_rows(test)


def course_rows(numbers: CourseNumbers) -> Iterator[Row]:
    """A row per figure of a course, then of each of its assignments."""
    yield HEAD
    yield "course", "", "students", numbers.students
    yield from _summary_rows("course, per cent", "", numbers.summary)
    yield from _steps("course, per cent", numbers.summary.histogram, 100)
    for line in numbers.assignments:
        for name in ("attempts", "authors", "late", "missing"):
            yield "assignment", line.title, name, getattr(line, name)
        yield "assignment", line.title, "mean, per cent", _rounded(line.summary.mean_percent)
        yield from _summary_rows("assignment", line.title, line.summary)


def _summary_rows(part: str, of: str, summary: Summary) -> Iterator[Row]:
    for name in (
        "count",
        "mean",
        "median",
        "deviation",
        "lower_quartile",
        "upper_quartile",
        "minimum",
        "maximum",
    ):
        yield part, of, name.replace("_", " "), _rounded(getattr(summary, name))
    yield part, of, "points", summary.points


def _steps(part: str, counts: Sequence[int], high: float) -> Iterator[Row]:
    width = high / max(len(counts), 1)
    for place, count in enumerate(counts):
        yield f"{part}, histogram", f"{width * place:g} to {width * (place + 1):g}", "count", count


def _hours(report: AssignmentReport) -> Iterator[Row]:
    part = "hours to the deadline" if report.has_deadline else "hours to the last submission"
    yield part, "earlier", "submissions", report.arrivals.earlier
    for place, count in enumerate(report.arrivals.counts, start=report.arrivals.first_hour):
        yield part, f"from {place} to {place + 1}", "submissions", count
    yield part, "later", "submissions", report.arrivals.later


def _test_rows(test: ItemFigures) -> Iterator[Row]:
    yield "test", test.title, "run on", test.count
    yield "test", test.title, "passed", test.passed
    yield "test", test.title, "pass rate", _rounded(test.pass_rate)
    for name in ("discrimination", "low", "high"):
        yield "test", test.title, name, _rounded(getattr(test, name))
    yield "test", test.title, "most frequent failure", test.failure
    yield "test", test.title, "failures that say so", test.failure_count
    yield "test", test.title, "flag", test.flag


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
