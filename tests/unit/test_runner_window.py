"""The law of rates: in no window of its length do more start than a rate says."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from app.runner import window
from app.runner.settings import Rate

BEGIN = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
rates = st.builds(
    Rate, count=st.integers(1, 20), seconds=st.sampled_from([1, 60, 3600]), text=st.just("a rate")
)
# How long launchers wait before they ask again, in parts of a window; and how many each would start.
asked = st.lists(st.tuples(st.floats(0, 1.2), st.integers(1, 30)), min_size=1, max_size=80)


def simulate(rate: Rate, asked: list[tuple[float, int]]) -> list[float]:
    """Start as many as are asked for and allowed; give when each of them began."""
    moment, kept, began = BEGIN, None, list[float]()
    for wait, wanted in asked:
        moment += dt.timedelta(seconds=wait * rate.seconds)
        count = min(wanted, rate.count - window.used(kept, rate, moment))
        if count > 0:
            kept = window.with_starts(kept, rate, moment, count)
            began += [moment.timestamp()] * count
    return began


@given(rate=rates, asked=asked)
def test_no_window_has_more_starts_than_the_rate(rate: Rate, asked: list[tuple[float, int]]) -> None:
    """Whenever one looks back for the length of the window, there are no more than were allowed."""
    began = simulate(rate, asked)

    for last in began:
        assert rate.count >= sum(last - rate.seconds < each <= last for each in began)


@given(rate=rates, asked=asked)
def test_a_start_is_forgotten_soon_after_its_window(rate: Rate, asked: list[tuple[float, int]]) -> None:
    """After a window and a fiftieth everything may start again, and few entries are kept meanwhile."""
    kept, moment = None, BEGIN
    for wait, count in asked:
        moment += dt.timedelta(seconds=wait * rate.seconds / 30)
        kept = window.with_starts(kept, rate, moment, count)
        assert window.PARTS + 2 >= kept.count("[") - 1

    later = moment + dt.timedelta(seconds=rate.seconds * (1 + 1 / window.PARTS))
    assert 0 == window.used(kept, rate, later)


@given(rate=rates, asked=asked)
def test_who_waits_is_told_when_the_next_may_start(rate: Rate, asked: list[tuple[float, int]]) -> None:
    """At the moment that is said there is room, and just before there is none."""
    kept, moment = None, BEGIN
    for wait, wanted in asked:
        moment += dt.timedelta(seconds=wait * rate.seconds / 30)
        if (count := min(wanted, rate.count - window.used(kept, rate, moment))) > 0:
            kept = window.with_starts(kept, rate, moment, count)

    free = window.frees_at(kept, rate, moment)

    is_full = rate.count <= window.used(kept, rate, moment)
    assert is_full == (free is not None)
    if free is not None:
        millisecond = dt.timedelta(milliseconds=1)
        assert rate.count > window.used(kept, rate, free + millisecond)
        assert rate.count <= window.used(kept, rate, max(moment, free - millisecond))


def test_starts_that_are_far_apart_are_counted_to_the_moment() -> None:
    """Who starts one in ten seconds gets the full rate."""
    rate = Rate(count=6, seconds=60, text="6/minute")

    began = simulate(rate, [(1 / 6, 1)] * 60)

    assert 60 == len(began)
