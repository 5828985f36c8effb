"""How long a job waits: before a claim by its priority, before a retry by its failures."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runner.backoff import (
    CAP_SECONDS,
    FIRST_SECONDS,
    JITTER,
    attempts_allowed,
    rank_of,
    retry_seconds,
)

START = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
moments = st.integers(0, 100 * 366 * 86_400 * 10**6).map(lambda us: START + dt.timedelta(microseconds=us))
chances = st.floats(0, 1, exclude_max=True)


@given(failures=st.integers(1, 10_000), chance=chances)
def test_a_retry_waits_within_bounds(failures: int, chance: float) -> None:
    """The wait doubles up to the cap, and jitter takes off less than its part: never zero, never more."""
    whole = min(CAP_SECONDS, FIRST_SECONDS * 2 ** min(failures - 1, 40))

    wait = retry_seconds(failures, chance=chance)

    assert whole * (1 - JITTER) <= wait <= whole


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 2.0), (2, 4.0), (3, 8.0), (9, 512.0), (10, 900.0), (99, 900.0)]
)
def test_each_failure_doubles_the_wait(failures: int, seconds: float) -> None:
    """Without jitter the waits are 2, 4, 8 ... up to a quarter of an hour."""
    assert seconds == retry_seconds(failures, chance=0.0)


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    """The jitter is drawn anew each time."""
    assert 1 < len({retry_seconds(5) for _ in range(20)})


@given(run_at=moments, ageing=st.floats(0, 86_400))
def test_high_goes_before_medium_before_low(run_at: dt.datetime, ageing: float) -> None:
    """Of jobs due at one moment the one of higher priority is never behind."""
    ranks = [rank_of(run_at, priority, ageing) for priority in (1, 2, 3)]

    assert sorted(ranks) == ranks


@given(run_at=moments, ageing=st.integers(1, 86_400), ahead=st.integers(1, 10**6))
def test_waiting_makes_up_for_priority(run_at: dt.datetime, ageing: int, ahead: int) -> None:
    """A low job that came earlier than a high one by two steps of ageing goes before it."""
    earlier = run_at - dt.timedelta(seconds=2 * ageing, microseconds=ahead)

    assert rank_of(earlier, 3, ageing) < rank_of(run_at, 1, ageing)


@given(run_at=moments, microseconds=st.integers(1, 10**12), priority=st.sampled_from([1, 2, 3]))
def test_within_a_priority_the_earlier_goes_first(
    run_at: dt.datetime, microseconds: int, priority: int
) -> None:
    """A rank tells moments apart to the microsecond, a century from now too."""
    later = run_at + dt.timedelta(microseconds=microseconds)

    assert microseconds == rank_of(later, priority, 300.0) - rank_of(run_at, priority, 300.0)


@pytest.mark.parametrize(
    ("retries", "high", "medium", "low"), [(0, 2, 1, 1), (1, 3, 2, 1), (2, 4, 3, 2), (25, 27, 26, 25)]
)
def test_priority_decides_on_one_attempt_more_or_less(retries: int, high: int, medium: int, low: int) -> None:
    """Attempts are 1 + retries, one more for high, one fewer for low, and never fewer than one."""
    assert (high, medium, low) == tuple(attempts_allowed(retries, priority) for priority in (1, 2, 3))
