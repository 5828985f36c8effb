"""The law of all graphs: whatever is enqueued, ended and retried, nobody waits for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.runner import store
from app.runner.errors import RunnerError
from app.runner.models import FINAL_STATUSES, Dependency, Job
from app.runner.store.attempts import claim_one
from tests.runner_house import HOST, LAUNCHER, Bench, end

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Step = tuple[str, list[int], str]
# What is done: to which of the jobs there are, and how.
numbers = st.integers(0, 5)
few = st.lists(numbers, min_size=1, max_size=3)
enqueues = st.tuples(st.just("enqueue"), few, st.sampled_from(["cancel", "run"]))
steps = st.one_of(
    enqueues,
    st.tuples(st.just("end"), few, st.sampled_from(["completed", "failed"])),
    st.tuples(st.sampled_from(["cancel", "retry"]), few, st.just("")),
)


def take(bench: Bench, jobs: list[int], what: str, which: list[int], how: str) -> None:
    """Take one step, unless it is refused."""
    chosen = [jobs[number % len(jobs)] for number in dict.fromkeys(which)] if jobs else []
    if what == "enqueue":
        jobs.append(bench.enqueue(after=chosen, after_failed=how))
    elif what == "end":
        end_all(bench, set(chosen), how)
    else:
        verb = store.cancel if what == "cancel" else store.retry
        for job in chosen:
            try:
                with bench.write() as session:
                    verb(session, job, actor="ada")
            except RunnerError:
                continue


def end_all(bench: Bench, chosen: set[int], status: str) -> None:
    """Run those that may run, and end them in one group."""
    with bench.write() as session:
        taken = [claimed for job in sorted(chosen) if (claimed := claim_one(session, job, LAUNCHER, HOST))]
        ends = [end(each.job_id, each.attempt, status) for each in taken]
        assert len(ends) == len(store.finish_all(session, ends, bench.settings))


def open_rows(session: Session) -> dict[int, int]:
    """Count for each job what it is still to wait for."""
    rows = select(Dependency.job_id, func.count()).where(Dependency.is_settled.is_(False))
    return {row[0]: row[1] for row in session.execute(rows.group_by(Dependency.job_id))}


def waiting_for_the_ended(session: Session) -> list[int]:
    """Give the jobs that wait for one which has ended: they would wait for ever."""
    ended = select(Job.id).where(Job.status.in_(FINAL_STATUSES))
    rows = select(Dependency.job_id).where(Dependency.is_settled.is_(False), Dependency.after_id.in_(ended))
    return list(session.scalars(rows))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=st.lists(enqueues, min_size=3, max_size=5), taken=st.lists(steps, min_size=2, max_size=8))
def test_no_job_is_forgotten_in_any_graph(bench: Bench, graph: list[Step], taken: list[Step]) -> None:
    """The count on a job is that of its open rows, no open row points at an end, and ends free the rest."""
    bench.clear()
    jobs: list[int] = []

    for what, which, how in graph + taken:
        take(bench, jobs, what, which, how)
        with bench.read() as session:
            counted = {job.id: job.waits_for for job in session.scalars(select(Job)) if job.waits_for}
            assert open_rows(session) == counted
            assert [] == waiting_for_the_ended(session)

    for _ in jobs:
        end_all(bench, set(jobs), "completed")
    with bench.read() as session:
        assert [] == list(session.scalars(select(Job.id).where(Job.status.not_in(FINAL_STATUSES))))
