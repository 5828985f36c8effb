"""The weaker mode: the tests run in the sandbox too, beside the student's code, which can tamper."""

from __future__ import annotations

import sys

from app.academic.grading.describing import describe, earned

TYPE_CHECKING = False  # the module typing costs each box 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UNWANTED = ("cacheprovider", "terminal", "junitxml", "pastebin", "faulthandler", "stepwise", "warnings")
_TEXT_LIMIT = 4000


def run_beside(message: dict[str, Any], ask: Callable[[dict[str, Any]], Any]) -> int:
    """Run the tests but for those that are done, and tell each end as it comes."""
    sys.path[:0] = [message["folder"]]
    sys.path += message["libraries"]
    import pytest

    arguments = [part for name in _UNWANTED for part in ("-p", f"no:{name}")]
    arguments += ["-c", "/dev/null", "--rootdir", message["folder"], "--confcutdir", message["folder"]]
    arguments += [*message["tests"], *[f"--deselect={name}" for name in message["done"]]]
    return int(pytest.main(arguments, plugins=[_Plugin(ask)]))


class _Plugin:
    """Tells the trusted side what happens."""

    def __init__(self, ask: Callable[[dict[str, Any]], Any]) -> None:
        self._ask = ask
        self._ends: list[tuple[str, str, str]] = []
        self._item: Any = None

    def _tell(self, **event: Any) -> None:
        self._ask({"event": event})

    def pytest_configure(self, config: Any) -> None:
        config.addinivalue_line("markers", "points(n): what this test is worth")
        config.addinivalue_line("markers", "visibility(state): who may see this test")

    def pytest_collection_finish(self, session: Any) -> None:
        self._tell(collected=[describe(item) for item in session.items])

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            text = str(report.longrepr)
            # pytest marks what was raised; above it are its own frames.
            raised = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
            self._tell(
                uncollected=report.nodeid, text="\n".join(raised)[-_TEXT_LIMIT:] or text[-_TEXT_LIMIT:]
            )

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        del location
        self._ends = []
        self._tell(start=nodeid)

    def pytest_runtest_setup(self, item: Any) -> None:
        self._item = item

    def pytest_runtest_logreport(self, report: Any) -> None:
        outcome = "expected" if hasattr(report, "wasxfail") else str(report.outcome)
        crash = getattr(report.longrepr, "reprcrash", None)
        text = str(getattr(crash, "message", "") or report.longrepr or "")
        self._ends.append((outcome, text[:_TEXT_LIMIT], str(report.capstdout)[:_TEXT_LIMIT]))

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        del location
        outcomes = {outcome for outcome, _, _ in self._ends}
        status = next((one for one in ("failed", "skipped") if one in outcomes), "passed")
        text = next((text for outcome, text, _ in self._ends if outcome == status), "")
        output = "".join(output for _, _, output in self._ends[-1:])
        score = earned(self._item) if status == "passed" else None
        self._tell(test=nodeid, status=status, text=text, output=output, score=score)
