"""The state table against a model of it: whatever order verbs come in, both say the same of every job."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.runner import store
from app.runner.errors import IllegalTransition
from app.runner.models import FINAL_STATUSES, Attempt, Event, Job
from app.runner.store.launchers import MOST_CRASHES
from tests.runner_house import Bench, end, now

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: Final = {"sqlite": 60, "postgresql": 10, "mariadb": 10}
STEPS: Final = 40
LAUNCHERS: Final = ("one", "two")
# Few, so that each comes to see much.
MOST_JOBS: Final = 3
FOREVER: Final = dt.timedelta(days=1)


@dataclass
class Model:
    """A job as the state table of the design has it."""

    status: str = "pending"
    attempt: int = 0
    used: int = 0
    crashes: int = 0
    events: int = 0
    launcher: str | None = None
    is_held: bool = False
    is_due: bool = True
    is_cancelling: bool = False
    key: str | None = None

    @property
    def is_claimable(self) -> bool:
        """Whether a launcher may take it."""
        return self.status == "pending" and self.is_due and not self.is_held

    def finish(self, status: str, *, used: int = 0, crash: int = 0) -> str:
        """End its attempt; with a cancel asked for there is no next one."""
        self.status = "cancelled" if status == "pending" and self.is_cancelling else status
        self.launcher = None
        self.used -= used
        self.crashes += crash
        return self.status


class StateTable(RuleBasedStateMachine):
    """Every verb in any order, on the runner and on the model."""

    bench: Bench
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.bench.clear()
        self.models: dict[int, Model] = {}

    @initialize(target=jobs)
    def begin(self) -> Any:
        """There is something to do."""
        found = [self.bench.enqueue() for _ in range(MOST_JOBS - 1)]
        self.models |= {job: Model() for job in found}
        return multiple(*found)

    @precondition(lambda self: len(self.models) < MOST_JOBS)
    @rule(target=jobs, delay=st.sampled_from([0, 0, 3600]), key=st.sampled_from([None, None, "report"]))
    def enqueue(self, delay: int, key: str | None) -> Any:
        """A key that is taken gives its holder."""
        job = self.bench.enqueue(delay=delay, unique_key=key)
        holder = self._holder(key)
        if holder is not None:
            assert holder == job
            return multiple()
        assert job not in self.models
        self.models[job] = Model(is_due=delay == 0, key=key)
        return job

    @rule(launcher=st.sampled_from(LAUNCHERS), limit=st.integers(1, 3))
    def claim(self, launcher: str, limit: int) -> None:
        """What is claimed could be, is as much as may be, and is nobody else's."""
        free = {job for job, model in self.models.items() if model.is_claimable}
        taken = self.bench.claim(limit, launcher)
        assert min(limit, len(free)) == len(taken)
        assert {each.job_id for each in taken} <= free
        for each in taken:
            model = self.models[each.job_id]
            model.status, model.launcher = "running", launcher
            model.attempt, model.used = model.attempt + 1, model.used + 1
            assert (model.attempt, model.used, model.crashes) == (
                each.attempt,
                each.attempts_used,
                each.crashes,
            )

    @rule(
        job=jobs,
        late=st.sampled_from([0, 0, 0, 1, -1]),
        status=st.sampled_from([*FINAL_STATUSES, "pending", "pending"]),
        back=st.sampled_from([(0, 0), (1, 0), (1, 1)]),
        is_running=st.sampled_from([True, True, False]),
        is_soon=st.booleans(),
        in_batch=st.booleans(),
    )
    def finish(
        self,
        job: int,
        late: int,
        status: str,
        back: tuple[int, int],
        *,
        is_running: bool,
        is_soon: bool,
        in_batch: bool,
    ) -> None:
        """Only the attempt that runs is believed."""
        if is_running:
            job = next((each for each, model in self.models.items() if model.status == "running"), job)
        model = self.models[job]
        given: dict[str, Any] = {"gives_back": back[0], "crash": back[1]}
        if status == "pending":
            given |= {"run_at": now() if is_soon else now() + FOREVER}
        reported = end(job, model.attempt - late, status, **given)
        with self.bench.write() as session:
            if in_batch:
                found = store.finish_all(session, [reported], self.bench.settings)
            else:
                written = store.finish(session, reported, self.bench.settings)
                found = [written] if written else []
        is_believed = model.status == "running" and late == 0
        assert is_believed == bool(found)
        if is_believed:
            assert model.finish(status, used=back[0], crash=back[1]) == found[0].status
            model.is_due = model.is_due if model.status != "pending" else is_soon

    @rule(job=jobs, verb=st.sampled_from(["start_now", "hold", "release", "cancel", "cancel", "retry"]))
    def ask(self, job: int, verb: str) -> None:
        """What people ask for; one rule, so that launchers have their turn."""
        getattr(self, f"_{verb}")(job)

    def _start_now(self, job: int) -> None:
        """A pending job, held or not, becomes due."""
        model = self.models[job]
        if self._try(store.start_now, job, is_allowed=model.status == "pending"):
            model.is_due, model.is_held = True, False

    def _hold(self, job: int) -> None:
        """A pending job that is not held."""
        model = self.models[job]
        if self._try(store.hold, job, is_allowed=model.status == "pending" and not model.is_held):
            model.is_held = True

    def _release(self, job: int) -> None:
        """A job that is held."""
        model = self.models[job]
        if self._try(store.release, job, is_allowed=model.status == "pending" and model.is_held):
            model.is_held = False

    def _cancel(self, job: int) -> None:
        """A pending job ends; a running one is asked to, once."""
        model = self.models[job]
        is_allowed = model.status == "pending" or (model.status == "running" and not model.is_cancelling)
        if not self._try(store.cancel, job, is_allowed=is_allowed):
            return
        if model.status == "pending":
            model.status, model.is_held = "cancelled", False
        else:
            model.is_cancelling = True

    def _retry(self, job: int) -> None:
        """A finished job whose key nobody else has meanwhile."""
        model = self.models[job]
        is_allowed = model.status in FINAL_STATUSES and self._holder(model.key) in {None, job}
        if self._try(store.retry, job, is_allowed=is_allowed):
            model.status, model.is_due, model.is_cancelling = "pending", True, False
            model.used = model.crashes = 0

    @rule(launcher=st.sampled_from(LAUNCHERS))
    def rescue(self, launcher: str) -> None:
        """All that the launcher had goes back, or ends."""
        left = {job: model for job, model in self.models.items() if model.launcher == launcher}
        with self.bench.write() as session:
            done = store.rescue(session, launcher, self.bench.settings)
        assert left.keys() == {each.job_id for each in done}
        for each in done:
            model = self.models[each.job_id]
            is_last = model.crashes + 1 >= MOST_CRASHES and not model.is_cancelling
            assert model.finish("failed" if is_last else "pending", used=1, crash=1) == each.status
            model.is_due = model.is_due or model.status == "pending"
            model.events += 1

    @invariant()
    def rows_are_as_modelled(self) -> None:
        """Status, token, budget, owner, flags, events and key of every job."""
        expected = {job: self._expected(model) for job, model in self.models.items()}
        assert expected == self._stored()

    @invariant()
    def attempts_are_as_counted(self) -> None:
        """One row for each attempt; only the last one may run, and only if its job does."""
        rows = self._rows(Attempt.__tablename__)
        for job, model in self.models.items():
            own = sorted((row["number"], row["outcome"]) for row in rows if row["job_id"] == job)
            assert list(range(1, model.attempt + 1)) == [number for number, _ in own]
            running = [number for number, outcome in own if outcome == "running"]
            assert running == ([model.attempt] if model.status == "running" else [])

    def _try(self, verb: Callable[..., None], job: int, *, is_allowed: bool) -> bool:
        """Do what a person asks for; what is not allowed raises and changes nothing."""
        try:
            with self.bench.write() as session:
                verb(session, job, actor="ada")
        except IllegalTransition:
            assert not is_allowed
            return False
        assert is_allowed
        self.models[job].events += 1
        return True

    def _holder(self, key: str | None) -> int | None:
        unfinished = (job for job, each in self.models.items() if each.status not in FINAL_STATUSES)
        return next((job for job in unfinished if key is not None and self.models[job].key == key), None)

    def _expected(self, model: Model) -> tuple[Any, ...]:
        is_final = model.status in FINAL_STATUSES
        kept = None if is_final else model.key
        flags = (model.is_held, model.is_cancelling, is_final)
        counts = (model.attempt, model.used, model.crashes, model.events)
        return (model.status, model.launcher, kept, *flags, *counts)

    def _stored(self) -> dict[int, tuple[Any, ...]]:
        snapshot = self.bench.snapshot()
        events = [row["job_id"] for (table, _), row in snapshot.items() if table == Event.__tablename__]
        return {
            row["id"]: (
                *(row[name] for name in ("status", "launcher_id", "unique_slot", "is_held")),
                *(row[name] is not None for name in ("cancel_requested_at", "finished_at")),
                *(row[name] for name in ("attempt", "attempts_used", "crashes")),
                events.count(row["id"]),
            )
            for (table, _), row in snapshot.items()
            if table == Job.__tablename__
        }

    def _rows(self, name: str) -> list[dict[str, Any]]:
        return [row for (table, _), row in self.bench.snapshot().items() if table == name]


@pytest.mark.slow
def test_any_order_of_verbs_keeps_the_state_table(bench: Bench) -> None:
    """No interleaving of launchers, people, rescue and late writers leads out of the state table."""
    examples = EXAMPLES[bench.bound.engine.dialect.name]
    checks = list(HealthCheck)
    limits = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks
    )
    machine = type("OnThisDatabase", (StateTable,), {"bench": bench})

    run_state_machine_as_test(machine, settings=limits)
