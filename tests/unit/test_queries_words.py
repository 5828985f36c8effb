"""The words for jobs: states, verbs, durations, text that is safe to show."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.runner.queries import words

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=30)
PLAIN: dict[str, Any] = {
    "run_at": NOW,
    "is_held": False,
    "attempts_used": 0,
    "cancel_requested_at": None,
    "heartbeat_at": NOW,
}


@pytest.mark.parametrize(
    ("status", "columns", "state"),
    [
        ("pending", {}, "pending"),
        ("pending", {"run_at": LATER}, "scheduled"),
        ("pending", {"attempts_used": 1}, "retrying"),
        ("pending", {"attempts_used": 1, "run_at": LATER}, "retrying"),
        ("pending", {"is_held": True, "run_at": LATER, "attempts_used": 1}, "held"),
        ("running", {}, "running"),
        ("running", {"cancel_requested_at": NOW}, "cancelling"),
        ("running", {"heartbeat_at": None}, "stale"),
        ("running", {"heartbeat_at": NOW - dt.timedelta(seconds=16), "cancel_requested_at": NOW}, "stale"),
        ("completed", {"cancel_requested_at": NOW}, "completed"),
        ("failed", {"attempts_used": 3}, "failed"),
        ("cancelled", {}, "cancelled"),
    ],
)
def test_a_state_follows_from_the_columns(status: str, columns: dict[str, Any], state: str) -> None:
    """Five statuses are stored; all other words are derived."""
    assert state == words.derive_state(status, now=NOW, **(PLAIN | columns))


def test_every_state_says_what_may_be_done() -> None:
    """No state is without an answer, and nothing finished can be cancelled."""
    allowed = {state: words.verbs_for(state) for state in words.STATES}

    assert ("retry",) == allowed["failed"] == allowed["completed"] == allowed["cancelled"]
    assert () == allowed["cancelling"]
    assert "release" in allowed["held"]
    assert "hold" not in allowed["held"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-3, "0.0 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7_800, "2 h 10 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    """A person reads how long, not how exactly."""
    assert text == words.duration(seconds)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (9_999, "9,999"), (10_000, "10,000"), (10_001, "10,000+")]
)
def test_a_count_beyond_the_cap_says_so(number: int, text: str) -> None:
    """What was not counted is not claimed."""
    assert text == words.count(number)


def test_text_keeps_lines_and_letters() -> None:
    """Only what repaints is escaped: lines, tabs and all languages stay."""
    text = "één\tline\n任務 שלום 🙂"

    assert text == words.visible(text)


def test_parameters_that_are_no_json_are_shown_as_they_are() -> None:
    """A row that something else wrote does not break the page."""
    assert "not json\\x00" == words.readable_parameters("not json\0")


def test_enormous_parameters_are_not_parsed() -> None:
    """One job with a megabyte of parameters does not slow down every poll of the list."""
    assert "60,000 characters, too long to show" == words.readable_parameters("x" * 60_000)


def test_a_cut_text_ends_with_its_mark() -> None:
    """What is missing is seen to be missing."""
    assert ("abcde", "abc…") == (words.cut("abcde", 5), words.cut("abcde", 4))
