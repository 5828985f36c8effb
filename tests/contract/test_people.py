"""The laws of a person's verbs: from every state, what changes, what is recorded, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.runner import store
from app.runner.errors import IllegalTransition, JobNotFound
from app.runner.models import Event, Job
from tests.runner_house import STATES, Bench, changes, new_events, now

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS: dict[str, Callable[..., None]] = {
    "start": store.start_now,
    "hold": store.hold,
    "release": store.release,
    "cancel": store.cancel,
    "retry": store.retry,
}

# For each verb and the states that allow it: the columns that change, and the event it leaves.
PLACE = {"run_at", "rank", "lane"}
ENDED = {"status", "finished_at"}
ALLOWED: dict[tuple[str, str], tuple[set[str], tuple[str, str, str]]] = {
    ("start", "pending"): (PLACE, ("started", "pending", "pending")),
    ("start", "scheduled"): (PLACE, ("started", "scheduled", "pending")),
    ("start", "retrying"): (PLACE, ("started", "retrying", "retrying")),
    ("start", "held"): (PLACE | {"is_held"}, ("started", "held", "pending")),
    ("hold", "pending"): ({"is_held"}, ("held", "pending", "held")),
    ("hold", "scheduled"): ({"is_held"}, ("held", "scheduled", "held")),
    ("hold", "retrying"): ({"is_held"}, ("held", "retrying", "held")),
    ("release", "held"): ({"is_held"}, ("released", "held", "pending")),
    ("cancel", "pending"): (ENDED, ("cancelled", "pending", "cancelled")),
    ("cancel", "scheduled"): (ENDED, ("cancelled", "scheduled", "cancelled")),
    ("cancel", "retrying"): (ENDED, ("cancelled", "retrying", "cancelled")),
    ("cancel", "held"): (ENDED | {"is_held"}, ("cancelled", "held", "cancelled")),
    ("cancel", "running"): (
        {"cancel_requested_at", "cancel_requested_by"},
        ("cancel_requested", "running", "cancelling"),
    ),
    ("retry", "completed"): (
        {"status", "finished_at", "run_at", "rank", "lane", "attempts_used", "started_at", "result"},
        ("retried", "completed", "pending"),
    ),
    ("retry", "failed"): (
        {"status", "finished_at", "run_at", "rank", "lane", "attempts_used", "started_at"},
        ("retried", "failed", "pending"),
    ),
    ("retry", "cancelled"): (
        {"status", "finished_at", "run_at", "rank", "lane"},
        ("retried", "cancelled", "pending"),
    ),
}
REFUSED = [(verb, state) for verb in VERBS for state in STATES if (verb, state) not in ALLOWED]


def act(bench: Bench, verb: str, job: int, actor: str = "ada") -> None:
    """Have a person do something, in a transaction of its own."""
    with bench.write() as session:
        VERBS[verb](session, job, actor=actor)


@pytest.mark.parametrize(("verb", "state"), ALLOWED)
def test_a_verb_that_is_allowed_changes_the_job_and_leaves_one_event(
    bench: Bench, verb: str, state: str
) -> None:
    """What a person does changes just these columns of this job, and is recorded once: who, before, after."""
    columns, (name, was, is_now) = ALLOWED[verb, state]
    job, other = bench.job_in(state), bench.job_in(state)
    before, begun = bench.snapshot(), now()

    act(bench, verb, job)

    after = bench.snapshot()
    changed = changes(before, after)
    assert columns == changed.pop((Job.__tablename__, job)).keys()
    (event,) = new_events(before, after)
    assert {(Event.__tablename__, event["id"])} == changed.keys(), f"job {other} must stay as it is"
    assert (job, "ada", name, was, is_now) == tuple(
        event[key] for key in ("job_id", "actor", "name", "before", "after")
    )
    assert begun <= event["at"] <= now()


@pytest.mark.parametrize(("verb", "state"), REFUSED)
def test_a_verb_that_is_not_allowed_changes_nothing(bench: Bench, verb: str, state: str) -> None:
    """From any other state the verb raises and leaves neither a change nor an event."""
    job = bench.job_in(state)
    before = bench.snapshot()

    with pytest.raises(IllegalTransition) as refused:
        act(bench, verb, job)

    assert before == bench.snapshot()
    assert (job, verb) == (refused.value.job_id, refused.value.verb)


@pytest.mark.parametrize(
    ("verb", "state", "sentence"),
    [
        ("cancel", "cancelling", "job {} is cancelling: cancel is only possible for pending or running jobs"),
        ("hold", "held", "job {} is held: hold is only possible for pending jobs"),
        ("release", "pending", "job {} is pending: release is only possible for held jobs"),
        ("retry", "running", "job {} is running: retry is only possible for finished jobs"),
        ("start", "completed", "job {} is completed: start is only possible for pending jobs"),
    ],
)
def test_a_refusal_says_what_the_job_is_now(bench: Bench, verb: str, state: str, sentence: str) -> None:
    """The sentence a person reads never contradicts itself."""
    job = bench.job_in(state)

    with pytest.raises(IllegalTransition) as refused:
        act(bench, verb, job)

    assert sentence.format(job) == str(refused.value)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_for_no_job_is_an_error(bench: Bench, verb: str) -> None:
    """A number that no job has is refused by its own error, and nothing is written."""
    gone = bench.enqueue() + 1000
    before = bench.snapshot()

    with pytest.raises(JobNotFound, match=f"there is no job {gone}"):
        act(bench, verb, gone)

    assert before == bench.snapshot()


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_rolled_back_leaves_no_event(bench: Bench, verb: str) -> None:
    """Change and event share the caller's transaction: neither is there without the other."""
    state = next(state for each, state in ALLOWED if each == verb)
    job = bench.job_in(state)
    before = bench.snapshot()

    with bench.read() as session:
        VERBS[verb](session, job, actor="ada")
        session.rollback()

    assert before == bench.snapshot()


def test_a_started_job_goes_before_all_others(bench: Bench) -> None:
    """Start now beats any priority and any age; two that were started go in the order of starting."""
    high = bench.enqueue(priority=1)
    first, second = bench.job_in("scheduled", priority=3), bench.job_in("scheduled", priority=3)
    act(bench, "start", second)
    act(bench, "start", first)

    assert [second, first, high] == [each.job_id for each in bench.claim()]


def test_a_held_job_is_not_claimed_until_released(bench: Bench) -> None:
    """Hold keeps a due job from running; release gives it its old place."""
    held, other = bench.enqueue(), bench.enqueue()
    act(bench, "hold", held)
    assert [other] == [each.job_id for each in bench.claim()]

    act(bench, "release", held)

    assert [held] == [each.job_id for each in bench.claim()]


def test_a_retry_gives_a_new_budget_and_keeps_the_history(bench: Bench) -> None:
    """A finished job that is retried has all its attempts before it, and its old ones behind it."""
    job = bench.job_in("failed", retries=0)

    act(bench, "retry", job)

    (claimed,) = bench.claim()
    assert (2, 1, 0) == (claimed.attempt, claimed.attempts_used, claimed.crashes)
    with bench.read() as session:
        found = session.get_one(Job, job)
        assert ["failed", "running"] == [each.outcome for each in found.attempts]
        assert ["it broke", None] == [each.error for each in found.attempts]


def test_a_retry_waits_for_the_holder_of_its_key(bench: Bench) -> None:
    """A finished job does not come back beside another one with its unique key."""
    job = bench.job_in("completed", unique_key="report")
    bench.enqueue(unique_key="report")
    before = bench.snapshot()

    with pytest.raises(IllegalTransition, match="another job holds its unique key"):
        act(bench, "retry", job)

    assert before == bench.snapshot()


def test_a_retry_takes_its_key_again(bench: Bench) -> None:
    """A retried job holds its unique key as it did at first."""
    job = bench.job_in("completed", unique_key="report")

    act(bench, "retry", job)

    assert job == bench.enqueue(unique_key="report")


def test_a_waiting_job_with_a_key_is_not_in_its_own_way(bench: Bench) -> None:
    """Retry of a job that waits is refused for that reason, not because the job itself has its key."""
    job = bench.job_in("pending", unique_key="report")

    with pytest.raises(IllegalTransition, match=f"job {job} is pending: retry is only possible for finished"):
        act(bench, "retry", job)


def test_the_name_of_who_acted_is_kept_as_far_as_there_is_room(bench: Bench) -> None:
    """A long name is cut, never refused half way through an action."""
    waiting, running = bench.job_in("pending"), bench.job_in("running")
    before = bench.snapshot()

    act(bench, "hold", waiting, actor="x" * 500)
    act(bench, "cancel", running, actor="y" * 500)

    assert ["x" * 200, "y" * 200] == [each["actor"] for each in new_events(before, bench.snapshot())]
    assert "y" * 200 == bench.job(running).cancel_requested_by


def test_many_values_read_back_as_they_were_written(bench: Bench) -> None:
    """Times come back aware, in UTC, to the microsecond: identity and order depend on it."""
    begun: Any = now()

    job = bench.job(bench.enqueue(delay=1.5))

    assert begun.tzinfo == job.created_at.tzinfo == job.run_at.tzinfo
    assert 1.5 == (job.run_at - job.created_at).total_seconds()
