"""The short text a student reads, from templates: nothing of a test that is not shown gets into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.academic.grading.results import GradeReport, TestResult

_SHOWN_TESTS = 5
_LINES, _WIDTH = 6, 200
_CLIPPED_LINES, _CLIPPED_WIDTH = 20, 200
_IN_WORDS = {
    "wrong_answer": "gave a wrong result",
    "runtime_error": "stopped with an error",
    "time_limit": "took too long",
    "memory_limit": "used too much memory",
    "output_limit": "printed too much",
    "disk_limit": "wrote too much to disk",
    "process_limit": "started other processes",
    "bad_reply": "gave something back that cannot be read",
    "protocol_error": "gave something back that nobody asked for",
    "denied": "did something that is not allowed",
}


def write_feedback(report: GradeReport, import_failure: str) -> GradeReport:
    """Return the report with its feedback."""
    lines = [f"{report.passed} of {len(report.tests)} tests passed."] if report.tests else []
    if import_failure:
        lines += ["Your program could not be loaded, so no test could pass:", *_cut(import_failure)]
    else:
        lines += _about_tests([test for test in report.tests if not test.is_passed and test.max_points])
    return replace(report, feedback="\n".join(lines))


def _about_tests(failed: list[TestResult]) -> list[str]:
    shown = [test for test in failed if test.visibility == "visible"]
    lines = []
    for test in shown[:_SHOWN_TESTS]:
        lines += [
            f"{test.title}: your program {_IN_WORDS.get(test.verdict, 'did not pass')}.",
            *_cut(test.message),
        ]
    if len(shown) > _SHOWN_TESTS:
        lines.append(f"{len(shown) - _SHOWN_TESTS} more tests did not pass.")
    if hidden := len(failed) - len(shown):
        lines.append(f"{hidden} hidden {'test' if hidden == 1 else 'tests'} did not pass.")
    return lines


def clip(text: str, *, from_end: bool = False) -> str:
    """Return a text short enough to be read: its first lines, or its last, each no longer than a line."""
    lines = text.splitlines()
    kept = lines[-_CLIPPED_LINES:] if from_end else lines[:_CLIPPED_LINES]
    short = [line if len(line) <= _CLIPPED_WIDTH else f"{line[:_CLIPPED_WIDTH]}..." for line in kept]
    if left_out := len(lines) - len(kept):
        short.insert(
            0 if from_end else len(short), f"[... {left_out} {'line' if left_out == 1 else 'lines'}]"
        )
    return "\n".join(short)


def _cut(text: str) -> list[str]:
    lines = [line[:_WIDTH] for line in text.splitlines() if line.strip()]
    return [f"    {line}" for line in lines[:_LINES]]
