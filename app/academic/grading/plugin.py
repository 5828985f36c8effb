"""The pytest plugin of the trusted process: one JSON line for each test, and a fresh box before it."""

from __future__ import annotations

import errno
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from app.academic.grading.describing import describe, earned
from app.academic.grading.endings import BoxEnded
from app.academic.grading.events import send_event
from app.academic.grading.student_errors import MARK

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.academic.grading.session import Session

_MESSAGE_LIMIT = 4000
_FULL_DISK = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT})


class GradingPlugin:
    """Sends what was collected, what starts and how each test ended."""

    def __init__(self, session: Session, events: int) -> None:
        self._session, self._events = session, events
        self._phases: list[tuple[str, str, BaseException | None, str]] = []

    def send(self, event: dict[str, Any]) -> None:
        """Write one event as a line of JSON."""
        send_event(self._events, event)

    def send_end(self, status: int) -> None:
        """Tell that everything ran, and what belongs to no test."""
        now = self._session
        failure = None if now.import_failure is None else _message(now.import_failure)
        output = "".join(now.import_output)
        self.send({"end": status, "cpu": now.cpu_seconds, "output": output, "import_failure": failure})

    def pytest_configure(self, config: pytest.Config) -> None:
        """Know the points marker, and find the student's modules before anything on disk."""
        config.addinivalue_line("markers", "points(n): what this test is worth")
        config.addinivalue_line("markers", "visibility(state): who may see this test")
        sys.meta_path.insert(0, self._session.finder)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tell which tests there are."""
        self._session.scope = None
        self.send({"collected": [describe(item) for item in items]})

    def pytest_exception_interact(self, call: pytest.CallInfo[Any], report: Any) -> None:
        """Tell about a test file that cannot be collected, and whose fault it is."""
        if isinstance(report, pytest.CollectReport):
            error = call.excinfo.value if call.excinfo else None
            cause = error if _is_students(error) else self._session.import_failure
            students = _message(cause) if cause is not None else None
            self.send(
                {
                    "uncollected": report.nodeid,
                    "text": str(report.longrepr)[:_MESSAGE_LIMIT],
                    "student": students,
                }
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Note that objects made in a fixture of wider scope must outlive the test."""
        del request
        if fixturedef.scope == "function":
            return (yield)
        before, self._session.scope = self._session.scope, fixturedef
        try:
            return (yield)
        finally:
            self._session.scope = before

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """Let the objects of a finished fixture go."""
        self._session.forget(fixturedef)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Give the test a fresh box, run it and tell how it ended."""
        self._phases = []
        self._session.begin_test()
        self.send({"start": item.nodeid})
        started = time.monotonic()
        result = yield
        self.send({"test": item.nodeid, "seconds": time.monotonic() - started, **self._outcome(item)})
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Keep what each phase raised."""
        report: pytest.TestReport = yield
        error = call.excinfo.value if call.excinfo else None
        text = call.excinfo.exconly(tryshort=True) if call.excinfo and not _is_students(error) else ""
        expected = "expected" if hasattr(report, "wasxfail") else report.outcome
        self._phases.append((call.when, expected, error, text))
        return report

    def _outcome(self, item: pytest.Item) -> dict[str, Any]:
        if self._session.broken is not None:
            return self._told("error", "autograder", str(self._session.broken))
        outcomes = {outcome for _, outcome, _, _ in self._phases}
        if (ended := self._session.ended or self._broken()) is not None:
            status = "timeout" if ended.verdict == "time_limit" else "error"
            return self._told(status, ended.verdict, ended.message)
        if "failed" in outcomes:
            return self._failure()
        if "skipped" in outcomes:
            return self._told(
                "skipped", "accepted" if _is_left_out(item) else "wrong_answer", "This test was skipped."
            )
        return {**self._told("passed", "accepted", ""), "score": earned(item)}

    def _broken(self) -> BoxEnded | None:
        return next((error for _, _, error, _ in self._phases if isinstance(error, BoxEnded)), None)

    def _failure(self) -> dict[str, Any]:
        error, text = next((error, text) for _, outcome, error, text in self._phases if outcome == "failed")
        if not _is_students(error):
            return self._told("failed", "wrong_answer", text)
        verdict = "runtime_error"
        if isinstance(error, MemoryError):
            verdict = "memory_limit"
        elif isinstance(error, OSError) and error.errno in _FULL_DISK:
            verdict = "disk_limit"
        return self._told("error", verdict, _message(error))

    def _told(self, status: str, verdict: str, message: str) -> dict[str, Any]:
        output = "".join(self._session.output)
        return {"status": status, "verdict": verdict, "message": message[:_MESSAGE_LIMIT], "output": output}


def _is_students(error: BaseException | None) -> bool:
    return isinstance(error, BoxEnded) or hasattr(error, MARK)


def _message(error: BaseException | None) -> str:
    if error is None or isinstance(error, BoxEnded):
        return "" if error is None else error.message
    trace = getattr(error, MARK, "")
    name = type(error).__name__
    return f"{name}: {error}\n{trace}".strip()


def _is_left_out(item: pytest.Item) -> bool:
    marked = any(item.get_closest_marker(name) for name in ("skip", "skipif"))
    return marked or bool(getattr(getattr(item, "obj", None), "__unittest_skip__", False))
