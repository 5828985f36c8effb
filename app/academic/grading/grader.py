"""Grading of one submission: the instructor's tests, against the student's files in a sandbox."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.academic.grading.errors import AutograderError
from app.academic.grading.feedback import write_feedback
from app.academic.grading.precheck import find_fault
from app.academic.grading.results import GradeReport, TestResult
from app.academic.grading.run_folder import run_folder
from app.academic.grading.sandbox import write_kit
from app.academic.grading.selftest import choose_confinement
from app.academic.grading.supervisor import Run, run_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from app.academic.grading.formats import AssignmentSpec, Part
    from app.academic.grading.sandbox import Confinement

_OUTPUT_LIMIT = 64 << 10
_LOG_SHOWN = 3000


def grade(
    spec: AssignmentSpec,
    files: Mapping[str, bytes],
    *,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> GradeReport:
    """Grade a submission.

    AutograderError means that grading itself failed and may be tried again; SandboxUnavailable, that it never
    will on this machine. Whatever the student's code does is a grade.
    """
    if (fault := find_fault(spec, files)) is not None:
        return GradeReport(outcome="not_gradable", verdict="not_gradable", points=spec.points, feedback=fault)
    started = time.monotonic()
    confinement = choose_confinement()
    tell = on_progress or (lambda _done, _total, _message: None)
    try:
        graded = [_grade_part(spec, part, files, confinement, tell) for part in spec.parts]
    except OSError as error:
        raise AutograderError(f"grading could not use this machine: {error}") from error
    return _report(spec, graded, confinement, time.monotonic() - started)


def _grade_part(
    spec: AssignmentSpec,
    part: Part,
    files: Mapping[str, bytes],
    confinement: Confinement,
    tell: Callable[[int, int, str], None],
) -> tuple[Part, Run, tuple[TestResult, ...]]:
    with run_folder() as folder:
        write_kit(folder)
        _write_code(folder / "code", spec, files)
        config = {
            "run": str(folder),
            "limits": asdict(part.limits),
            "confinement": confinement.to_dict(),
            "sources": _sources(spec, files),
            "tests": [str(file) for file in part.files],
            "folder": str(_tests_folder(spec, part)),
        }

        def progress(run: Run) -> None:
            # Without the test's name: whoever may see the progress may not see hidden tests.
            tell(len(run.tests), len(run.collected), f"{len(run.tests)} of {len(run.collected)} tests")

        run = run_tests(config, part.limits.total, progress)
    _check_run(run)
    return part, run, _results(part, run)


def _tests_folder(spec: AssignmentSpec, part: Part) -> Path:
    path = spec.folder / part.path
    return path if path.is_dir() else path.parent


def _write_code(folder: Path, spec: AssignmentSpec, files: Mapping[str, bytes]) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for name in spec.submit.files:
        if name in files:
            path = folder / name
            for parent in reversed(path.relative_to(folder).parents[:-1]):
                (folder / parent).mkdir(mode=0o755, exist_ok=True)
                (folder / parent).chmod(0o755)
            path.write_bytes(files[name])
            path.chmod(0o644)


def _sources(spec: AssignmentSpec, files: Mapping[str, bytes]) -> dict[str, str]:
    named = zip(
        spec.submit.modules, [name for name in spec.submit.files if name.endswith(".py")], strict=True
    )
    return {module: files[name].decode("utf-8-sig") for module, name in named if name in files}


def _check_run(run: Run) -> None:
    """Tell a broken autograder from a broken submission: only the tests' process decides which."""
    for failed in run.uncollected:
        if failed["student"] is None:
            raise AutograderError(f"the tests in {failed['uncollected']} cannot be loaded:\n{failed['text']}")
    if run.end is None and not run.is_out_of_time:
        log = run.log.decode("utf-8", "replace")[-_LOG_SHOWN:]
        raise AutograderError(f"the tests ended before they were done:\n{log}")
    if run.is_out_of_time and not run.collected:
        raise AutograderError("the tests could not be loaded in time")
    if not run.collected and not run.uncollected:
        raise AutograderError("the assignment's test files contain no tests")
    broken = [test for test in run.tests.values() if test.get("verdict") == "autograder"]
    if broken:
        raise AutograderError(str(broken[0]["message"]))


def _results(part: Part, run: Run) -> tuple[TestResult, ...]:
    is_pointed = any(_own_points(part, one) is not None for one in run.collected)
    results = []
    for one in run.collected:
        worth = _own_points(part, one)
        most = worth if worth is not None else (0.0 if is_pointed else 1.0)
        results.append(_result(part, one, most, run))
    return tuple(results)


def _own_points(part: Part, one: Mapping[str, Any]) -> float | None:
    points = one["points"]
    return part.tests.get(one["id"]) if points is None else float(points)


def _result(part: Part, one: Mapping[str, Any], most: float, run: Run) -> TestResult:
    told = run.tests.get(one["id"]) or _not_run(part, run)
    if told["status"] == "skipped" and told["verdict"] == "accepted":
        most = 0.0
    earned = most if told["status"] == "passed" else 0.0
    score = told.get("score")
    if told["status"] == "passed" and isinstance(score, (int, float)):
        earned = min(max(float(score), 0.0), most)
    return TestResult(
        name=one["id"],
        title=one["title"],
        status=told["status"],
        verdict=told["verdict"],
        points=earned,
        max_points=most,
        message=_storable(told["message"]),
        output=_storable(told["output"]),
        visibility=one["visibility"] or part.visibility,
        seconds=round(told.get("seconds", 0.0), 4),
    )


def _storable(text: str) -> str:
    """Return text as every database takes it: neither NUL nor half a character."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _not_run(part: Part, run: Run) -> dict[str, Any]:
    if run.is_out_of_time:
        seconds = f"{part.limits.total:g} seconds"
        message = f"The time for all tests together ({seconds}) was over before this test ended."
        return {"status": "timeout", "verdict": "time_limit", "message": message, "output": ""}
    message = str(run.uncollected[0]["student"]) if run.uncollected else "This test did not run."
    return {"status": "error", "verdict": "runtime_error", "message": message, "output": ""}


def _report(
    spec: AssignmentSpec,
    graded: list[tuple[Part, Run, tuple[TestResult, ...]]],
    confinement: Confinement,
    seconds: float,
) -> GradeReport:
    tests = tuple(result for _, _, results in graded for result in results)
    ends = [run.end or {} for _, run, _ in graded]
    failure = next((str(one["student"]) for _, run, _ in graded for one in run.uncollected), "")
    failure = failure or next((str(end["import_failure"]) for end in ends if end.get("import_failure")), "")
    bad = next((test.verdict for test in tests if not test.is_passed and test.max_points), None)
    share = sum(part.points * _share(results) for part, _, results in graded) / sum(
        part.points for part, _, _ in graded
    )
    report = GradeReport(
        outcome="graded",
        verdict="runtime_error" if not tests else bad or "accepted",
        points=spec.points,
        score=round(spec.points * share, 2),
        raw_score=sum(test.points for test in tests),
        raw_points=sum(test.max_points for test in tests),
        tests=tests,
        output=_storable("".join(str(end.get("output", "")) for end in ends)[:_OUTPUT_LIMIT]),
        sandbox=confinement.tier,
        cpu_seconds=round(sum(float(end.get("cpu", 0.0)) for end in ends), 3),
        seconds=round(seconds, 3),
    )
    return write_feedback(report, _storable(failure))


def _share(results: tuple[TestResult, ...]) -> float:
    most = sum(result.max_points for result in results)
    return sum(result.points for result in results) / most if most else 0.0
