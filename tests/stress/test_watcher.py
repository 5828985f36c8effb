"""The times that the chaos measures are fair, and no fairer than that."""

from __future__ import annotations

import pytest

from tests.stress.watcher import Death, Life, Moment, slowness


def death(*, swept: float = 0, rescued: float = 0, is_alone: bool = True) -> Death:
    """Give a death at 100 s, on a machine that always has a processor free."""
    made = Death(launcher_id="x", at=Moment(at=100), is_alone=is_alone)
    made.swept, made.rescued = Moment(at=100 + swept), Moment(at=100 + rescued)
    return made


def test_on_a_free_machine_nothing_is_taken_off() -> None:
    """Without waiting for a processor each second counts as one."""
    assert 6.0 == death(swept=6).swept_after([])
    assert 16.0 == death(rescued=16).rescued_after([Life(began=50)])


def test_what_was_never_seen_to_end_took_for_ever() -> None:
    """A death whose processes or jobs are still there breaks every promise."""
    unseen = Death(launcher_id="x", at=Moment(at=100), is_alone=True)

    assert float("inf") == unseen.swept_after([]) == unseen.rescued_after([Life(began=0)])


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ([Life(began=90, ended=103), Life(began=103, ended=110), Life(began=111)], 9.0),
        ([Life(began=90, ended=103), Life(began=103, ended=104)], 3.0),
        ([Life(began=90, ended=100)], 0.0),
        ([Life(began=90)], 20.0),
    ],
)
def test_only_who_lives_can_rescue(lives: list[Life], expected: float) -> None:
    """What counts is the longest time that one launcher was there and had not done it."""
    assert expected == death(rescued=20).rescued_after(lives)


def test_who_leaves_a_warm_parent_needs_nobody_else_to_sweep() -> None:
    """Launchers that come and go are no excuse for what a living warm parent was to end."""
    lives = [Life(began=101, ended=102)]

    assert 6.0 == death(swept=6).swept_after(lives)
    assert 1.0 == death(swept=6, is_alone=False).swept_after(lives)


def test_a_busy_machine_is_as_slow_as_the_watcher_found_it() -> None:
    """Who waits as long for a processor as it works is half as fast; who hardly worked knows nothing."""
    begin = Moment(at=0, worked=1.0, waited=5.0, crowd=4.0)

    assert 2.0 == slowness(begin, Moment(at=9, worked=2.0, waited=6.0, crowd=3.0))
    assert 1.0 == slowness(begin, Moment(at=9, worked=1.001, waited=9.0, crowd=3.0))


def test_a_machine_is_no_slower_than_it_is_crowded() -> None:
    """However long the watcher waited: with one process for each processor nothing is taken off."""
    begin = Moment(at=0, worked=1.0, waited=5.0, crowd=4.0)

    assert 3.0 == slowness(begin, Moment(at=9, worked=2.0, waited=15.0, crowd=3.0))
    assert 1.0 == slowness(begin, Moment(at=9, worked=2.0, waited=15.0, crowd=0.5))
