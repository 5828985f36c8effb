"""The weaker mode, from the trusted side: whole test files in one box, and what it says taken as said.

It detects accidents, not cheating: the student's code shares an interpreter with the tests. What it cannot do
is what no box can: reach files, other submissions or the machine.
"""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.academic.grading.channel import Box
from app.academic.grading.describing import VISIBILITIES
from app.academic.grading.endings import BoxEnded
from app.academic.grading.limits import Limits
from app.academic.grading.sandbox import Confinement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TEXT_LIMIT, _OUTPUT_LIMIT = 4000, 64 << 10
_KEPT_APART = ("solution", "stub", "__pycache__", "assignment.yaml", ".*")
TESTS_FOLDER = "tests-of-the-course"


class Beside:
    """One run: boxes one after the other, each going on where the last one ended."""

    def __init__(self, config: Mapping[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
        self._config, self._send = config, send
        self._run = Path(config["run"])
        limits = Limits(**config["limits"])
        # The processor time is for all tests here, as they share a process.
        self._limits = replace(limits, cpu=limits.total)
        self._confinement = Confinement(**config["confinement"])
        self._collected: list[str] = []
        self._done: list[str] = []
        self._running: str | None = None
        self._started = 0.0
        self._output: list[str] = []
        self.cpu_seconds = 0.0

    def run(self) -> int:
        """Run everything; the exit status is pytest's, 0 when boxes had to be ended."""
        self._copy_tests()
        while True:
            try:
                status = self._run_box()
            except BoxEnded as ended:
                if not self._take_end(ended):
                    break
            else:
                return status
        return 0

    def _copy_tests(self) -> None:
        target = self._run / "code" / TESTS_FOLDER
        ignored = shutil.ignore_patterns(*_KEPT_APART)
        shutil.copytree(self._config["folder"], target, ignore=ignored, symlinks=True)
        for path in (target, *target.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)

    def _run_box(self) -> int:
        box = Box(self._confinement, self._run, self._limits, [])
        try:
            reply = box.ask(self._request())
            while "ask" in reply:
                self._output += [text for _, text in box.take_output()]
                event = reply["ask"].get("event") if isinstance(reply["ask"], dict) else None
                if isinstance(event, dict) and self._take(event):
                    box.begin()
                reply = box.ask({"n": 1, "op": "back", "value": None})
            return int(reply["ok"]) if type(reply.get("ok")) is int else 1
        finally:
            box.close()
            self.cpu_seconds += box.cpu_seconds

    def _request(self) -> dict[str, Any]:
        private = self._confinement.tier == "bubblewrap"
        folder = f"/box/code/{TESTS_FOLDER}" if private else str(self._run / "code" / TESTS_FOLDER)
        tests = [str(Path(file).relative_to(self._config["folder"])) for file in self._config["tests"]]
        return {
            "n": 1,
            "op": "beside",
            "folder": folder,
            "tests": [f"{folder}/{name}" for name in tests],
            "libraries": list(self._confinement.libraries),
            "done": self._done,
        }

    def _take(self, event: dict[str, Any]) -> bool:
        """Pass an event on, as far as it is one; tell whether a new test has begun."""
        if isinstance(event.get("collected"), list) and not self._collected:
            found = [_described(one) for one in event["collected"][:5000] if isinstance(one, dict)]
            self._collected = [one["id"] for one in found]
            self._send({"collected": found})
        elif isinstance(event.get("uncollected"), str):
            text = str(event.get("text"))[-_TEXT_LIMIT:]
            self._send({"uncollected": event["uncollected"][:500], "text": text, "student": text})
        elif event.get("start") in self._open():
            self._running, self._started = str(event["start"]), time.monotonic()
            self._send({"start": self._running})
            return True
        elif event.get("test") in self._open():
            self._finish(str(event["test"]), event)
        return False

    def _open(self) -> set[Any]:
        return set(self._collected) - set(self._done)

    def _finish(self, name: str, told: Mapping[str, Any]) -> None:
        status = told.get("status") if told.get("status") in {"passed", "skipped"} else "failed"
        verdict = {"passed": "accepted", "skipped": "accepted"}.get(str(status), "wrong_answer")
        self._end_test(name, str(status), verdict, str(told.get("text") or ""), _score(told.get("score")))

    def _end_test(self, name: str, status: str, verdict: str, text: str, score: float | None = None) -> None:
        output, self._output, self._running = "".join(self._output)[:_OUTPUT_LIMIT], [], None
        self._done.append(name)
        message = "" if status == "passed" else text[:_TEXT_LIMIT]
        seconds = time.monotonic() - self._started
        told = {"status": status, "verdict": verdict, "message": message, "output": output, "score": score}
        self._send({"test": name, "seconds": seconds, **told})

    def _take_end(self, ended: BoxEnded) -> bool:
        """Give the end of a box to the test that ran; tell whether there is more to run."""
        if self._running is None:
            told = {"uncollected": "the tests", "text": ended.message, "student": ended.message}
            self._send(told)
            return False
        status = "timeout" if ended.verdict == "time_limit" else "error"
        self._end_test(self._running, status, ended.verdict, ended.message)
        return bool(self._open())


def _described(one: dict[str, Any]) -> dict[str, Any]:
    tags = one.get("tags")
    return {
        "id": str(one.get("id"))[:500],
        "title": str(one.get("title"))[:200],
        "points": _score(one.get("points")),
        "visibility": one["visibility"] if one.get("visibility") in VISIBILITIES else None,
        "number": str(one.get("number") or "")[:100],
        "tags": [str(tag)[:100] for tag in tags[:20]] if isinstance(tags, list) else [],
    }


def _score(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
