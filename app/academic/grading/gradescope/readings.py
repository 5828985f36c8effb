"""Reading results.json as an autograder for Gradescope writes it.

What cannot be read is the autograder's fault and never a student's zero.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

VISIBILITIES: Final = ("visible", "hidden", "after_due_date", "after_published")
FORMATS: Final = ("text", "html", "simple_format", "md", "ansi")
STATUSES: Final = ("passed", "failed")
LARGEST: Final = 5_000_000
_MOST_TESTS: Final = 5_000
_LONGEST_TEXT: Final = 64 << 10
_LONGEST_NAME: Final = 300


class BadResults(ValueError):
    """The file holds no results; the message names the place and what was expected there."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One test of the file; score and maximum are None where it names none."""

    name: str = ""
    number: str = ""
    score: float | None = None
    max_score: float | None = None
    status: str | None = None
    output: str = ""
    output_format: str = "text"
    name_format: str = "text"
    visibility: str = "visible"
    tags: tuple[str, ...] = ()
    extra_data: Any = None

    def is_shown(self, *, is_due: bool, is_published: bool = False) -> bool:
        """Whether the student may see it by now."""
        return _is_open(self.visibility, is_due=is_due, is_published=is_published)


@dataclass(frozen=True, kw_only=True)
class Results:
    """The whole file; `total` is the score of all, `maximum` what the tests name together."""

    total: float
    maximum: float | None = None
    tests: tuple[Reading, ...] = ()
    output: str = ""
    output_format: str = "text"
    visibility: str = "visible"
    is_stdout_shown: bool = False
    execution_seconds: float | None = None
    leaderboard: tuple[dict[str, Any], ...] = ()
    extra_data: Any = field(default=None)
    # Whether the file gives the total itself, so that the tests' scores need not add up to it.
    has_own_score: bool = False

    def shown_tests(self, *, is_due: bool, is_published: bool = False) -> tuple[Reading, ...]:
        """Return the tests a student may see by now."""
        return tuple(one for one in self.tests if one.is_shown(is_due=is_due, is_published=is_published))

    def is_score_shown(self, *, is_due: bool, is_published: bool = False) -> bool:
        """Whether the student may see the total: a test that is kept back would show through it."""
        kept = [one.visibility for one in self.tests] or [self.visibility]
        return all(_is_open(one, is_due=is_due, is_published=is_published) for one in kept)


def _is_open(visibility: str, *, is_due: bool, is_published: bool) -> bool:
    return {"visible": True, "after_due_date": is_due, "after_published": is_published}.get(visibility, False)


def read_results(content: bytes) -> Results:
    """Return what the file says, or raise BadResults."""
    data = _load(content)
    listed = _list(data, "tests")
    if len(listed) > _MOST_TESTS:
        _refuse("tests", f"at most {_MOST_TESTS} tests")
    visibility = _choice(data, "visibility", VISIBILITIES, "", "visible")
    usual = {
        "visibility": visibility,
        "output_format": _format(data, "test_output_format", "text"),
        "name_format": _format(data, "test_name_format", "text"),
    }
    tests = tuple(_test(one, f"tests[{number}]", usual) for number, one in enumerate(listed))
    own = _number(data, "score", "")
    maxima = [test.max_score for test in tests if test.max_score is not None]
    return Results(
        total=_total(own, tests),
        maximum=math.fsum(maxima) if maxima else None,
        tests=tests,
        output=_text(data, "output", _LONGEST_TEXT),
        output_format=_format(data, "output_format", "text"),
        visibility=visibility,
        is_stdout_shown=_choice(data, "stdout_visibility", VISIBILITIES, "", "hidden") == "visible",
        execution_seconds=_time(data.get("execution_time")),
        leaderboard=_leaderboard(data.get("leaderboard")),
        extra_data=data.get("extra_data"),
        has_own_score=own is not None,
    )


def _load(content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise BadResults(f"results.json has {len(content)} bytes; at most {LARGEST} are read")
    if not content.strip():
        raise BadResults("results.json is empty")
    try:
        data = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except BadResults:
        raise
    except (ValueError, RecursionError) as error:
        raise BadResults(f"results.json is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadResults("results.json: expected an object with score or tests")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise BadResults(f"results.json: {name} is not a finite number")


def _total(own: float | None, tests: tuple[Reading, ...]) -> float:
    scores = [test.score for test in tests if test.score is not None]
    if own is None and not scores:
        raise BadResults("results.json: expected a score, either one for all or one of each test")
    total = math.fsum(scores) if own is None else own
    if not math.isfinite(total):
        raise BadResults("results.json: the score is not a finite number")
    return total


def _test(data: object, place: str, usual: dict[str, str]) -> Reading:
    if not isinstance(data, dict):
        _refuse(place, "an object")
    score, most = _number(data, "score", place), _number(data, "max_score", place)
    return Reading(
        name=_text(data, "name", _LONGEST_NAME),
        number=_text(data, "number", _LONGEST_NAME),
        score=score,
        max_score=most,
        status=_status(data.get("status"), score, most),
        output=_text(data, "output", _LONGEST_TEXT),
        output_format=_format(data, "output_format", usual["output_format"]),
        name_format=_format(data, "name_format", usual["name_format"]),
        visibility=_choice(data, "visibility", VISIBILITIES, place, usual["visibility"]),
        tags=tuple(str(tag) for tag in _list(data, "tags", place)),
        extra_data=data.get("extra_data"),
    )


def _status(told: object, score: float | None, most: float | None) -> str | None:
    if told in STATUSES:
        return str(told)
    if score is None or most is None:
        return None
    return "passed" if score >= most else "failed"


def _number(data: dict[str, Any], key: str, place: str) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _refuse(_at(place, key), "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        _refuse(_at(place, key), "a finite number")
    return number


def _text(data: dict[str, Any], key: str, longest: int) -> str:
    value = data.get(key)
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[:longest]}\n[... {len(text) - longest} characters more]"


def _choice(data: dict[str, Any], key: str, allowed: tuple[str, ...], place: str, usual: str) -> str:
    value = data.get(key)
    if value is None:
        return usual
    if value not in allowed:
        _refuse(_at(place, key), f"one of {', '.join(allowed)}")
    return str(value)


def _format(data: dict[str, Any], key: str, usual: str) -> str:
    # Text is what is safe to show, so what is not known is text.
    value = data.get(key, usual)
    return str(value) if value in FORMATS else "text"


def _list(data: dict[str, Any], key: str, place: str = "") -> list[Any]:
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        _refuse(_at(place, key), "a list")
    return value


def _leaderboard(value: object) -> tuple[dict[str, Any], ...]:
    rows = value if isinstance(value, list) else []
    return tuple(
        {
            "name": str(row["name"])[:_LONGEST_NAME],
            "value": row.get("value"),
            "order": row.get("order", "desc"),
        }
        for row in rows
        if isinstance(row, dict) and row.get("name") is not None
    )


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _refuse(place: str, expected: str) -> NoReturn:
    raise BadResults(f"results.json: {place}: expected {expected}")
