"""The laws of limits: never more of a class at once, nor more starts in a window, over all launchers."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from app.runner import store
from app.runner.maintenance import settle_in
from app.runner.models import Job, JobClass
from app.runner.settings import load_approved
from app.runner.store.classes import full_classes
from tests.runner_house import WORK, Bench, end, now

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHER = "somebody.Else"
SECOND = "somebody.Second"


def limit(bench: Bench, **options: Any) -> None:
    """Give the class of the tests a limit."""
    approved = load_approved({WORK: {"methods": ["handle"], **options}, OTHER: ["handle"]})
    bench.settings = replace(bench.settings, approved=approved)
    bench.bound = replace(bench.bound, settings=bench.settings)


def put(bench: Bench, count: int, class_name: str = WORK, **options: Any) -> list[int]:
    """Store jobs of a class."""
    ids = [bench.enqueue(**options) for _ in range(count)]
    with bench.write() as session:
        session.execute(update(Job).where(Job.id.in_(ids)).values(class_name=class_name))
    return ids


def claimed(bench: Bench, most: int = 10, launcher: str = "one") -> list[int]:
    """Claim, and give the numbers."""
    return [each.job_id for each in bench.claim(most, launcher)]


def test_no_more_than_max_running_run_at_once(bench: Bench) -> None:
    """What runs anywhere counts, and when one ends, one may begin."""
    limit(bench, max_running=2)
    jobs = put(bench, 4)

    assert jobs[:2] == claimed(bench, launcher="one")
    assert [] == claimed(bench, launcher="two")

    bench.finish(end(jobs[0]))
    assert [jobs[2]] == claimed(bench, launcher="two")


def test_others_are_not_held_up_behind_a_full_class(bench: Bench) -> None:
    """A claim skips a full class however many of it are first in line, and keeps the order of the rest."""
    limit(bench, max_running=1)
    mine = put(bench, 20, priority=1)
    others = put(bench, 3, OTHER, priority=3)

    assert [mine[0], *others[:2]] == claimed(bench, 3)
    assert others[2:] == claimed(bench, 3)


def test_two_limited_classes_are_limited_each(bench: Bench) -> None:
    """The room of one class is not that of another, nor of those without a limit."""
    entry = {"methods": ["handle"], "max_running": 1}
    bench.settings = replace(bench.settings, approved=load_approved({WORK: entry, SECOND: entry}))
    first, second, others = put(bench, 3), put(bench, 3, SECOND), put(bench, 2, OTHER)

    assert [first[0], second[0], *others] == claimed(bench)


def test_a_full_class_is_not_due(bench: Bench) -> None:
    """A launcher does not open a transaction for jobs that it could not take."""
    limit(bench, max_running=1)
    put(bench, 2)
    claimed(bench)

    assert not is_due(bench)

    put(bench, 1, OTHER)
    assert is_due(bench)


def test_no_more_start_than_the_rate_allows(bench: Bench) -> None:
    """The starts of all launchers count, each until it is a window ago."""
    limit(bench, rate="3/minute")
    jobs = put(bench, 8)

    assert jobs[:2] == claimed(bench, 2, launcher="one")
    assert jobs[2:3] == claimed(bench, 5, launcher="two")
    finish_all(bench, jobs[:3])
    assert [] == claimed(bench, 5, launcher="two")

    age_starts(bench, 61)
    assert jobs[3:6] == claimed(bench, 5)


def test_a_burst_at_the_edge_of_a_window_is_no_more_than_the_rate(bench: Bench) -> None:
    """What started at the end of one minute leaves less for the beginning of the next."""
    limit(bench, rate="3/minute")
    jobs = put(bench, 8)
    claimed(bench, 1)
    age_starts(bench, 50)
    assert jobs[1:3] == claimed(bench, 5)

    age_starts(bench, 15)
    assert jobs[3:4] == claimed(bench, 5)


def test_starts_of_the_future_are_not_waited_for(bench: Bench) -> None:
    """A clock that was set back does not stop a class until it comes there again."""
    limit(bench, rate="1/hour")
    jobs = put(bench, 2)
    claimed(bench)

    age_starts(bench, -86_400)

    assert jobs[1:] == claimed(bench)


def test_both_limits_hold_together(bench: Bench) -> None:
    """The smaller of the two decides."""
    limit(bench, rate="2/minute", max_running=5)
    put(bench, 9)

    assert 2 == len(claimed(bench))


def test_without_a_limit_no_row_is_made(bench: Bench) -> None:
    """The table of classes stays empty for those who use neither pauses nor limits."""
    put(bench, 1)
    claimed(bench)

    with bench.read() as session:
        assert [] == session.query(JobClass).all()


@pytest.mark.parametrize("options", [{"max_running": 3}, {"rate": "3/hour"}])
def test_two_launchers_cannot_both_pass(bench: Bench, options: dict[str, Any]) -> None:
    """However claims interleave, those who ask at the same time get no more than the limit together."""
    limit(bench, **options)
    settle_in(bench.bound)
    put(bench, 30)
    taken: list[int] = []
    together = threading.Barrier(4)

    def launcher(name: str) -> None:
        together.wait(10)
        for _ in range(5):
            taken.extend(claimed(bench, 2, name))

    threads = [threading.Thread(target=launcher, args=(f"launcher {n}",)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert 3 == len(taken)
    assert full(bench) == {WORK}


def is_due(bench: Bench) -> bool:
    """Ask as a launcher does before it claims."""
    with bench.read() as session:
        return store.is_anything_due(session, bench.settings.limited)


def full(bench: Bench) -> set[str]:
    """Ask which classes have no room."""
    with bench.read() as session:
        return full_classes(session, bench.settings.limited, now())


def age_starts(bench: Bench, seconds: float) -> None:
    """Have what has started started so much earlier."""
    with bench.write() as session:
        (row,) = session.query(JobClass)
        kept = json.loads(row.starts or "")
        row.starts = json.dumps([(first - seconds, last - seconds, count) for first, last, count in kept])


def finish_all(bench: Bench, jobs: Sequence[int]) -> None:
    """End jobs."""
    for job in jobs:
        bench.finish(end(job))
