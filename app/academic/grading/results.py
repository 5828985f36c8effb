"""The report of one grading run, and its stored form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Literal

# `waiting`: a person has yet to judge a part, so that there is no total.
Outcome = Literal["graded", "not_gradable", "waiting"]
Status = Literal["passed", "failed", "error", "timeout", "skipped", "waiting"]
HIDDEN_MESSAGE = "The result of this test is not shown."


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """How one test ended; points are the instructor's own, before scaling."""

    __test__: ClassVar[bool] = False

    name: str
    title: str
    status: Status
    verdict: str = "accepted"
    points: float = 0.0
    max_points: float = 1.0
    message: str = ""
    output: str = ""
    # The message with its markup, cleaned, where an autograder wrote some.
    markup: str = ""
    visibility: str = "visible"
    seconds: float = 0.0
    # The number of the part it belongs to, from 0.
    part: int = 0

    @property
    def is_passed(self) -> bool:
        """Tell whether the test gave its points."""
        return self.status == "passed"


@dataclass(frozen=True, kw_only=True)
class PartScore:
    """What one part came to; points and earned count among the parts, before scaling."""

    type: str
    title: str
    points: float
    earned: float = 0.0
    is_waiting: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class GradeReport:
    """What grading found. Scores: raw as the tests count, score scaled to the assignment's points."""

    outcome: Outcome
    verdict: str
    points: float
    score: float = 0.0
    raw_score: float = 0.0
    raw_points: float = 0.0
    tests: tuple[TestResult, ...] = ()
    parts: tuple[PartScore, ...] = ()
    feedback: str = ""
    output: str = ""
    sandbox: str = ""
    cpu_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        """Count the tests that passed."""
        return sum(test.is_passed for test in self.tests)

    def for_student(self, shown: frozenset[str] = frozenset({"visible"})) -> GradeReport:
        """Return the report as a student may see it: tests that are not shown keep their secrets."""
        return replace(self, tests=tuple(_as_shown(test, shown) for test in self.tests))

    def to_json(self) -> str:
        """Return the stored form."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> GradeReport:
        """Return the report that to_json stored."""
        data = json.loads(text)
        tests = tuple(TestResult(**test) for test in data.pop("tests"))
        # Reports of earlier versions know no parts.
        parts = tuple(PartScore(**part) for part in data.pop("parts", ()))
        return cls(tests=tests, parts=parts, **data)


def storable(text: str) -> str:
    """Return text as every database takes it: neither NUL nor half a character."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _as_shown(test: TestResult, shown: frozenset[str]) -> TestResult:
    if test.visibility in shown:
        return test
    return replace(
        test, title="Hidden test", name="", message=HIDDEN_MESSAGE, output="", markup="", seconds=0.0
    )
