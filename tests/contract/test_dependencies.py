"""The laws of jobs that wait for others: none runs too early, none waits for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select

from app.runner import store
from app.runner.api import run_background_job
from app.runner.errors import IllegalTransition, ValidationError
from app.runner.models import Dependency, Job
from app.runner.store.attempts import claim_one
from tests.runner_house import LAUNCHER, STATES, WORK, Bench, end, new_events, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNFINISHED = ("pending", "scheduled", "held", "retrying", "running", "cancelling")
ENDS = ("completed", "failed", "cancelled")
# What an ancestor's end makes of a dependent, by policy.
BECOMES = {
    ("completed", "cancel"): "pending",
    ("completed", "run"): "pending",
    ("failed", "cancel"): "cancelled",
    ("failed", "run"): "pending",
    ("cancelled", "cancel"): "cancelled",
    ("cancelled", "run"): "pending",
}


def state(bench: Bench, job: int) -> tuple[str, int]:
    """Give a job's status, and how many it waits for."""
    found = bench.job(job)
    return found.status, found.waits_for


def by_attempt(bench: Bench, job: int, status: str) -> None:
    """Have an attempt end a job."""
    bench.finish(end(job, status=status))


def in_a_group(bench: Bench, job: int, status: str) -> None:
    """Have a group commit end a job, among others."""
    other = bench.job_in("running")
    with bench.write() as session:
        store.finish_all(session, [end(other), end(job, status=status)], bench.settings)


def in_a_group_with_a_late_writer(bench: Bench, job: int, status: str) -> None:
    """Have a group commit end a job that had to be written one by one."""
    other = bench.job_in("running")
    with bench.write() as session:
        store.finish_all(session, [end(other, 7), end(job, status=status)], bench.settings)


@pytest.mark.parametrize("way", [by_attempt, in_a_group, in_a_group_with_a_late_writer])
@pytest.mark.parametrize(("status", "policy"), BECOMES)
def test_an_end_releases_or_cancels_what_waits_for_it(
    bench: Bench, way: Callable[..., None], status: str, policy: str
) -> None:
    """However an end is written, it settles the job's dependents in the same transaction."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor], after_failed=policy)
    assert ("pending", 1) == state(bench, job)

    way(bench, ancestor, status)

    assert (BECOMES[status, policy], 0) == state(bench, job)


@pytest.mark.parametrize(("status", "policy"), BECOMES)
def test_what_has_ended_already_is_judged_at_once(bench: Bench, status: str, policy: str) -> None:
    """An ancestor that has ended does not count; its failure decides at the enqueue."""
    ancestor = bench.job_in(status)

    job = bench.enqueue(after=[ancestor], after_failed=policy)

    assert (BECOMES[status, policy], 0) == state(bench, job)


@pytest.mark.parametrize("waits_for", UNFINISHED)
def test_a_blocked_job_is_not_claimed(bench: Bench, waits_for: str) -> None:
    """Whatever an unfinished ancestor is doing, its dependent does not run: not in turn, not by hand."""
    ancestor = bench.job_in(waits_for)
    job = bench.enqueue(after=[ancestor], priority=1)

    assert job not in [each.job_id for each in bench.claim()]
    with bench.write() as session:
        assert claim_one(session, job, LAUNCHER, "host") is None


def test_a_failure_that_is_tried_again_is_not_an_end(bench: Bench) -> None:
    """Between two attempts of an ancestor its dependent goes on waiting."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])

    bench.finish(end(ancestor, status="pending", run_at=now()))

    assert ("pending", 1) == state(bench, job)


def test_a_job_runs_after_the_last_of_its_ancestors(bench: Bench) -> None:
    """Each end counts down by one; jobs and numbers may be mixed, and one named twice counts once."""
    first, second = bench.job_in("running"), bench.job_in("running")
    job = bench.enqueue(after=[bench.job(first), second, first, bench.job_in("completed")])
    assert ("pending", 2) == state(bench, job)

    bench.finish(end(second))
    assert ([], 1) == ([each.job_id for each in bench.claim()], bench.job(job).waits_for)
    bench.finish(end(first))

    assert [job] == [each.job_id for each in bench.claim()]


def test_the_end_of_two_ancestors_in_one_group_counts_two(bench: Bench) -> None:
    """Ends that are committed together are counted apart."""
    ancestors = [bench.job_in("running") for _ in range(3)]
    job = bench.enqueue(after=ancestors)

    with bench.write() as session:
        store.finish_all(session, [end(each) for each in ancestors[:2]], bench.settings)

    assert ("pending", 1) == state(bench, job)


def test_a_cancel_goes_down_the_whole_tree(bench: Bench) -> None:
    """What waits for the cancelled is cancelled in turn, except where the policy says run."""
    root = bench.job_in("running")
    child = bench.enqueue(after=[root])
    grandchild = bench.enqueue(after=[child, root])
    stubborn = bench.enqueue(after=[child], after_failed="run")
    unrelated = bench.enqueue(after=[bench.job_in("running")])

    bench.finish(end(root, status="failed"))

    assert [("cancelled", 0), ("cancelled", 0), ("pending", 0), ("pending", 1)] == [
        state(bench, each) for each in (child, grandchild, stubborn, unrelated)
    ]


def test_a_cancel_for_another_job_says_so(bench: Bench) -> None:
    """The job names who is to blame, and one event of the runner's stands on its timeline."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])
    before = bench.snapshot()

    bench.finish(end(ancestor, status="failed"))

    (told,) = new_events(before, bench.snapshot())
    said = f"job {ancestor} failed"
    assert (job, "runner", "cancelled", "blocked", "cancelled", said) == tuple(
        told[key] for key in ("job_id", "actor", "name", "before", "after", "note")
    )
    assert said == bench.job(job).error


def test_an_event_has_the_words_that_people_see(bench: Bench) -> None:
    """A blocked job that is held was blocked, and is so again once released; a held one was held."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])
    before = bench.snapshot()

    with bench.write() as session:
        store.hold(session, job, actor="ada")
        store.release(session, job, actor="ada")
        store.hold(session, job, actor="ada")
    bench.finish(end(ancestor, status="failed"))

    told = [(each["before"], each["after"]) for each in new_events(before, bench.snapshot())]
    assert [("blocked", "held"), ("held", "blocked"), ("blocked", "held"), ("held", "cancelled")] == told


def test_a_job_that_is_stored_as_cancelled_says_why(bench: Bench) -> None:
    """An enqueue after a failed job does not fail: the row tells what became of it."""
    ancestor = bench.job_in("failed")

    job = bench.job(bench.enqueue(after=[ancestor], unique_key="report"))

    assert (f"job {ancestor} failed", None) == (job.error, job.unique_slot)
    assert job.finished_at == job.created_at


@pytest.mark.parametrize("policy", ["cancel", "run"])
def test_a_person_who_cancels_cancels_what_waits(bench: Bench, policy: str) -> None:
    """Cancel of a waiting job is an end like any other."""
    ancestor = bench.enqueue()
    job = bench.enqueue(after=[ancestor], after_failed=policy)

    with bench.write() as session:
        store.cancel(session, ancestor, actor="ada")

    assert (BECOMES["cancelled", policy], 0) == state(bench, job)


def test_rescue_that_ends_a_job_settles_what_waits(bench: Bench) -> None:
    """The third crash is an end; the first two are not."""
    ancestor = bench.enqueue()
    job = bench.enqueue(after=[ancestor])
    for crash in (1, 2, 3):
        assert ("pending", 1) == state(bench, job)
        bench.claim()
        with bench.write() as session:
            store.rescue(session, LAUNCHER, bench.settings)
        assert crash == bench.job(ancestor).crashes

    assert ("cancelled", 0) == state(bench, job)


def test_a_dependent_that_was_cancelled_is_left_in_peace(bench: Bench) -> None:
    """A blocked job that a person cancelled stays cancelled when its ancestor completes."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])
    with bench.write() as session:
        store.cancel(session, job, actor="ada")

    bench.finish(end(ancestor))

    assert ("cancelled", 0) == state(bench, job)


def test_a_late_writer_releases_nobody(bench: Bench) -> None:
    """An end that is not believed settles nothing."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])

    bench.finish(end(ancestor, 7))

    assert ("pending", 1) == state(bench, job)


def retry(bench: Bench, job: int) -> None:
    """Have a person retry a job."""
    with bench.write() as session:
        store.retry(session, job, actor="ada")


def test_a_retried_ancestor_brings_nobody_back(bench: Bench) -> None:
    """What was cancelled because of a job stays cancelled when that job runs again, and completes."""
    ancestor = bench.job_in("running")
    job = bench.enqueue(after=[ancestor])
    bench.finish(end(ancestor, status="failed"))

    retry(bench, ancestor)
    bench.claim()
    bench.finish(end(ancestor, 2))

    assert ("cancelled", 0) == state(bench, job)


def test_an_end_counts_once(bench: Bench) -> None:
    """An ancestor that a person has run twice does not stand for another that still runs."""
    ancestor, other = bench.job_in("running"), bench.job_in("running")
    job = bench.enqueue(after=[ancestor, other])
    bench.finish(end(ancestor))
    retry(bench, ancestor)
    assert ("pending", 1) == state(bench, job)

    bench.claim()
    bench.finish(end(ancestor, 2))
    assert ("pending", 1) == state(bench, job)

    bench.finish(end(other))
    assert ("pending", 0) == state(bench, job)


def test_a_retried_dependent_waits_again_for_the_unfinished(bench: Bench) -> None:
    """A person may retry what was cancelled: it waits for what runs, and what failed is known to them."""
    failed, again = bench.job_in("running"), bench.job_in("running")
    job = bench.enqueue(after=[failed, again])
    for each in (failed, again):
        bench.finish(end(each, status="failed"))
    retry(bench, again)

    retry(bench, job)
    assert ("pending", 1) == state(bench, job)
    bench.claim()
    bench.finish(end(again, 2))

    assert ("pending", 0) == state(bench, job)


def test_start_now_is_refused_for_a_blocked_job(bench: Bench) -> None:
    """Nobody jumps over the jobs that must end before; hold, release and cancel are possible."""
    job = bench.enqueue(after=[bench.job_in("running")])

    with bench.write() as session, pytest.raises(IllegalTransition, match=f"job {job} is blocked: start"):
        store.start_now(session, job, actor="ada")
    for verb in (store.hold, store.release, store.cancel):
        with bench.write() as session:
            verb(session, job, actor="ada")

    assert "cancelled" == bench.job(job).status


def test_unknown_jobs_cannot_be_waited_for(bench: Bench) -> None:
    """A number without a job is refused at the enqueue, each by name, and nothing is stored."""
    known = bench.enqueue()
    before = bench.snapshot()

    with pytest.raises(ValidationError) as refused:
        bench.enqueue(after=[known + 1, known, known + 2])

    assert [("after", f"there is no job {known + each}") for each in (1, 2)] == refused.value.problems
    assert before == bench.snapshot()


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"after": "12"}, "after", "must be a list of jobs or of their numbers"),
        ({"after": 12}, "after", "must be a list of jobs or of their numbers"),
        ({"after": ["12"]}, "after", "must be made of jobs or their numbers"),
        ({"after": [True]}, "after", "must be made of jobs or their numbers"),
        ({"after": [0]}, "after", "must be made of jobs or their numbers"),
        ({"after": [2**63]}, "after", "must be made of jobs or their numbers"),
        ({"after": [[]]}, "after", "must be made of jobs or their numbers"),
        ({"after": range(1, 10_002)}, "after", "must be at most 10000 jobs, not 10001"),
        ({"after_failed": "maybe"}, "after_failed", 'must be "cancel" or "run"'),
        ({"after_failed": None}, "after_failed", 'must be "cancel" or "run"'),
        ({"after_failed": []}, "after_failed", 'must be "cancel" or "run"'),
    ],
)
def test_what_is_no_job_is_refused(bench: Bench, options: dict[str, Any], field: str, said: str) -> None:
    """Anything that is not a list of jobs or numbers, or not a policy, is named with what was expected."""
    before = bench.snapshot()

    with pytest.raises(ValidationError) as refused:
        bench.enqueue(**options)

    assert [field] == [problem.field for problem in refused.value.problems]
    assert said in str(refused.value)
    assert before == bench.snapshot()


def test_the_holder_of_a_key_is_given_as_it_is(bench: Bench) -> None:
    """A job that is there already does not begin to wait because somebody else would."""
    holder = bench.enqueue(unique_key="report")

    assert holder == bench.enqueue(unique_key="report", after=[bench.job_in("running")])

    assert ("pending", 0) == state(bench, holder)


def test_a_whole_chain_can_be_enqueued_in_one_transaction(bench: Bench) -> None:
    """Jobs that are not committed yet can be waited for; all of them are rolled back together."""
    before = bench.snapshot()
    with bench.read() as session:
        first = run_background_job(WORK, "handle", session=session)
        second = run_background_job(WORK, "handle", session=session, after=[first])
        assert (1, [first.id]) == (
            second.waits_for,
            list(session.scalars(select(Dependency.after_id).where(Dependency.job_id == second.id))),
        )
        session.rollback()

    assert before == bench.snapshot()


@pytest.mark.parametrize("ended", ENDS)
def test_many_dependents_are_settled_at_once(bench: Bench, ended: str) -> None:
    """More dependents than one statement takes values are all settled by one end."""
    ancestor = bench.job_in("running")
    with bench.write() as session:
        jobs = [run_background_job(WORK, "handle", session=session, after=[ancestor]).id for _ in range(1100)]

    bench.finish(end(ancestor, status=ended))

    with bench.read() as session:
        rows = session.execute(select(Job.status, Job.waits_for).where(Job.id.in_(jobs)))
        found = {(row.status, row.waits_for) for row in rows}
    assert {(BECOMES[ended, "cancel"], 0)} == found


@pytest.fixture
def statements(bench: Bench) -> Iterator[list[str]]:
    """Note every statement."""
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[2])

    event.listen(bench.bound.engine, "before_cursor_execute", note)
    yield found
    event.remove(bench.bound.engine, "before_cursor_execute", note)


def test_a_group_without_dependents_costs_one_query(bench: Bench, statements: list[str]) -> None:
    """However many jobs end in a group, whether any is waited for is asked once."""
    jobs = [bench.job_in("running") for _ in range(5)]
    statements.clear()

    with bench.write() as session:
        store.finish_all(session, [end(each) for each in jobs], bench.settings)

    assert 1 == sum(Dependency.__tablename__ in each for each in statements)


@pytest.mark.parametrize("state", STATES)
def test_pruning_an_ancestor_leaves_its_dependents(bench: Bench, state: str) -> None:
    """A finished ancestor may be deleted; what waited for it is not waiting, and is not deleted."""
    ancestor = bench.job_in("completed")
    job = bench.job_in(state, after=[ancestor])
    with bench.write() as session:
        session.get_one(Job, ancestor).finished_at = now().replace(year=2000)

    with bench.write() as session:
        assert [ancestor] == store.prune(session, before=now().replace(year=2001))

    assert 0 == bench.job(job).waits_for


class InAThread:
    """Does something beside the test, and gives what came of it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.result: Any = None
        self._act = act
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.result = self._act()

    def is_waiting(self) -> bool:
        """Whether it has not come to an end, though it had the time."""
        self._thread.join(0.3)
        return self._thread.is_alive()

    def join(self) -> Any:
        """Wait for its end, which must come."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.result


@pytest.mark.parametrize(("status", "policy"), BECOMES)
def test_an_end_waits_for_who_is_enqueueing_after_it(bench: Bench, status: str, policy: str) -> None:
    """An ancestor that ends while a dependent is being enqueued settles it, once both are committed."""
    ancestor = bench.job_in("running")
    with bench.write() as session:
        job = run_background_job(WORK, "handle", session=session, after=[ancestor], after_failed=policy).id
        ending = InAThread(lambda: bench.finish(end(ancestor, status=status)))
        assert ending.is_waiting()

    assert ending.join() is not None
    assert (BECOMES[status, policy], 0) == state(bench, job)


@pytest.mark.parametrize(("status", "policy"), BECOMES)
def test_who_enqueues_waits_for_an_end_being_written(bench: Bench, status: str, policy: str) -> None:
    """A dependent that is enqueued while its ancestor ends sees the end, once that is committed."""
    ancestor = bench.job_in("running")
    with bench.write() as session:
        store.finish(session, end(ancestor, status=status), bench.settings)
        enqueueing = InAThread(lambda: bench.enqueue(after=[ancestor], after_failed=policy))
        assert enqueueing.is_waiting()

    assert (BECOMES[status, policy], 0) == state(bench, enqueueing.join())
