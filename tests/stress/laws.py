"""The laws, checked against what the database, its own audit, the ledger and the witness say.

Each law is a function that gives what breaks it, as sentences; none means that it held.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.runner.store.launchers import MOST_CRASHES
from tests.stress.enqueuer import TOO_LONG_SECONDS
from tests.stress.handlers import SLEEPER
from tests.stress.watcher import RESCUED_SECONDS, SWEPT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stress.chaos import Tally
    from tests.stress.world import Witnessed, World

FINAL: Final = ("completed", "failed", "cancelled")
# What may have been a job's last attempt, by what became of the job.
LAST: Final[dict[str, set[str | None]]] = {
    "completed": {"completed"},
    "failed": {"failed", "timed_out", "crashed"},
    "cancelled": {"cancelled", "failed", "crashed", "interrupted", "timed_out", "retrying", None},
}
ALLOWED: Final = {("pending", "running"), ("pending", "cancelled"), ("running", "pending")} | {
    ("running", final) for final in FINAL
}


def nothing_is_lost(world: World) -> Iterator[str]:
    """Every job whose commit was acknowledged is there; a transaction is there whole or not at all."""
    tags, batches = world.tags(), _batches(world)
    for name in batches["committed"]:
        lost = [tag for tag in batches["writing"][name] if tag not in tags]
        if lost:
            yield f"{name} was committed and {lost} are lost"
    for name, wanted in batches["writing"].items():
        if 0 < sum(tag in tags for tag in wanted) < len(wanted):
            yield f"half of {name} is there"


def nothing_rolled_back_has_run(world: World) -> Iterator[str]:
    """What was rolled back is not in the database and was never begun."""
    tags, begun = world.tags(), {each.tag for each in world.witnessed() if each.what == "began"}
    for wanted in _batches(world)["rolled"].values():
        yield from (f"{tag} was rolled back and is there" for tag in wanted if tag in tags)
    yield from (f"{tag} ran and was never committed" for tag in begun - tags.keys())


def every_job_is_over(world: World) -> Iterator[str]:
    """Once the kills stop, every job comes to a final state."""
    query = (
        "SELECT id, status, is_held, run_at, launcher_id, attempt FROM background_jobs WHERE status NOT IN"
    )
    yield from (f"not over: {row}" for row in world.rows(f"{query} {FINAL}"))


def each_is_finished_once(world: World) -> Iterator[str]:
    """A job's status moves as the state table says, is final once, and is never left then."""
    finals: Counter[int] = Counter()
    for job_id, before, after in world.rows("SELECT job_id, before, after FROM audit ORDER BY id"):
        finals[job_id] += after in FINAL
        if (before, after) not in ALLOWED:
            yield f"job {job_id} went from {before} to {after}"
    yield from (f"job {job_id} was finished {times} times" for job_id, times in finals.items() if times > 1)


def attempts_are_believed_once(world: World) -> Iterator[str]:
    """Attempts are numbered without gaps, none is written after its end, one and only the last completed."""
    outcomes: dict[int, dict[int, str]] = defaultdict(dict)
    for job_id, number, outcome in world.rows("SELECT job_id, number, outcome FROM background_job_attempts"):
        outcomes[job_id][number] = outcome
    for job_id, status, attempt in world.rows("SELECT id, status, attempt FROM background_jobs"):
        yield from _problems_of(job_id, status, attempt, outcomes[job_id])
    for job_id, number, what in world.rows("SELECT job_id, number, what FROM audit_late"):
        yield f"attempt {number} of job {job_id} was written after its end: {what}"


def _problems_of(job_id: int, status: str, attempt: int, outcomes: dict[int, str]) -> Iterator[str]:
    if sorted(outcomes) != list(range(1, attempt + 1)):
        yield f"job {job_id} has attempt {attempt} and the rows {sorted(outcomes)}"
    if list(outcomes.values()).count("completed") != (status == "completed"):
        yield f"job {job_id} is {status} with {outcomes}"
    if status in LAST and outcomes.get(attempt) not in LAST[status]:
        yield f"job {job_id} is {status} and its last attempt {outcomes.get(attempt)}"
    if "running" in outcomes.values() and status != "running":
        yield f"job {job_id} is {status} and an attempt runs: {outcomes}"


def failures_are_explained(world: World) -> Iterator[str]:
    """A job fails because its handler does, or at the third crash; is cancelled because someone asked."""
    asked = {
        job for (job,) in world.rows("SELECT job_id FROM background_job_events WHERE name LIKE 'cancel%'")
    }
    query = "SELECT id, status, method, crashes, parameters, error FROM background_jobs"
    for job_id, status, method, crashes, parameters, error in world.rows(query):
        does_fail = method == "fail" or json.loads(parameters)[-1] == TOO_LONG_SECONDS
        if status == "failed" and not does_fail and crashes < MOST_CRASHES:
            yield f"job {job_id} ({method}) failed after {crashes} crashes: {error}"
        if status == "completed" and (does_fail or method == "die"):
            yield f"job {job_id} ({method}) cannot have completed"
        if status == "cancelled" and job_id not in asked:
            yield f"job {job_id} was cancelled and nobody asked"


def dependents_wait(world: World) -> Iterator[str]:
    """A job that waits for another begins after its end, and never if it was to be cancelled with it."""
    query = (
        "SELECT d.job_id, d.policy, before.status, before.finished_at,"
        " min(a.started_at) FROM background_job_dependencies d"
        " JOIN background_jobs before ON before.id = d.after_id"
        " LEFT JOIN background_job_attempts a ON a.job_id = d.job_id GROUP BY d.job_id, d.after_id"
    )
    for job_id, policy, before, ended_at, began_at in world.rows(query):
        if began_at is not None and (ended_at is None or began_at < ended_at):
            yield f"job {job_id} began at {began_at}, what it waits for ended at {ended_at}"
        if began_at is not None and policy == "cancel" and before != "completed":
            yield f"job {job_id} ran, though what it waits for was {before}"
    yield from (
        str(row) for row in world.rows("SELECT id, waits_for FROM background_jobs WHERE waits_for > 0")
    )


def attempts_never_overlap(world: World) -> Iterator[str]:
    """Once a job's next attempt has begun, nothing is heard of the one before it."""
    latest: dict[int, Witnessed] = {}
    for each in sorted(world.witnessed()):
        before = latest.get(each.job_id)
        if before is not None and each.attempt < before.attempt:
            yield f"{each} came after {before}"
        latest[each.job_id] = each


def completed_work_was_done(world: World) -> Iterator[str]:
    """A job is completed if and only if the attempt that is believed came to its end."""
    ended = {(each.job_id, each.attempt) for each in world.witnessed() if each.what == "ended"}
    query = "SELECT id, attempt FROM background_jobs WHERE status = 'completed'"
    yield from (f"job {row} is completed and never ended" for row in world.rows(query) if row not in ended)


def the_dead_leave_nothing(world: World, tally: Tally) -> Iterator[str]:
    """Of a killed launcher no process is left after 5 s, and its jobs are given back within 15 s."""
    for death in tally.deaths:
        if (seconds := death.swept_after(tally.lives)) > SWEPT_SECONDS:
            yield f"processes of {death.launcher_id} lived {seconds} s"
        if (seconds := death.rescued_after(tally.lives)) > RESCUED_SECONDS:
            yield f"jobs of {death.launcher_id} waited {seconds} s"
    yield from (f"left at the end: {each}" for each in world.alive())
    escaped = [int(each.tag) for each in world.witnessed() if each.what == "escaped"]
    yield from (f"escaped and left at the end: {pid}" for pid in escaped if _is_sleeper(pid))


def _is_sleeper(pid: int) -> bool:
    try:
        return SLEEPER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


OF_WORLD: Final[tuple[Callable[[World], Iterator[str]], ...]] = (
    nothing_is_lost,
    nothing_rolled_back_has_run,
    every_job_is_over,
    each_is_finished_once,
    attempts_are_believed_once,
    failures_are_explained,
    dependents_wait,
    attempts_never_overlap,
    completed_work_was_done,
)


def broken(world: World, tally: Tally) -> dict[str, list[str]]:
    """Check every law; give for each what breaks it."""
    found = {law.__name__: list(law(world)) for law in OF_WORLD}
    return found | {the_dead_leave_nothing.__name__: list(the_dead_leave_nothing(world, tally))}


def _batches(world: World) -> dict[str, dict[str, list[str]]]:
    """Read the ledger: what was announced, what acknowledged; a line cut short announces nothing."""
    found: dict[str, dict[str, list[str]]] = {"rolled": {}, "writing": {}, "committed": {}}
    for line in world.ledger.read_text(encoding="utf-8").splitlines():
        what, name, *tags = line.split()
        found[what][name] = tags
    return found


def summary(world: World) -> dict[str, Any]:
    """Count what came of it all."""
    query = "SELECT outcome, count(*) FROM background_job_attempts GROUP BY outcome"
    return {"jobs": world.statuses(), "attempts": dict(world.rows(query))}
