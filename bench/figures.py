"""The figures: what each asks of every system, in rounds that alternate between ours and the others."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench import big_table, systems
from bench.results import Figure, Row
from bench.stage import Stage, Stuck, family
from bench.systems import System

RATE: Final = "jobs/s"
P50, P99 = "p50, ms", "p99, ms"
ONE, BULK = "one per commit, jobs/s", "in bulk, jobs/s"
MEMORY, CPU = "memory, MiB", "CPU, % of a core"
MIB: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much of everything."""

    rounds: int = 3
    fresh: int = 600
    pool: int = 3_000
    starts: int = 100
    enqueued: int = 1_000
    finished_rows: int = 1_000_000
    pending_rows: int = 100_000
    idle_seconds: float = 20.0


QUICK: Final = Sizes(
    rounds=1, fresh=100, pool=500, starts=15, enqueued=200, finished_rows=20_000, pending_rows=2_000,
    idle_seconds=2.0,
)  # fmt: skip


def throughput(stage: Stage, system: System, count: int) -> float:
    """Run jobs that were all there before, and give how many ran in a second, the first ones left out."""
    warm_up = max(20, count // 5)
    stage.reset(system)
    stage.produce(system, "many", count + warm_up)
    with stage.working(system):
        stamps = stage.wait_for_stamps(system, count + warm_up)
        # Ours has ended what its table says has ended; of the others the handlers are believed.
        end = stage.wait_for_commit(system) if system.is_ours else stamps[-1]
    return count / ((end - stamps[warm_up - 1]) / 1e9)


def fresh(stage: Stage, sizes: Sizes) -> Figure:
    """Measure no-op jobs with a fresh process for each."""
    figure = Figure(
        name="fresh", title="A fresh process for every job", measures=[RATE],
        how=f"{sizes.fresh} no-op jobs, two at a time",
    )  # fmt: skip
    _alternate(stage, sizes, figure, systems.OURS_FORK, [systems.RQ], _rate_of(sizes.fresh))
    return figure


def reused(stage: Stage, sizes: Sizes) -> Figure:
    """Measure no-op jobs where a process runs many."""
    figure = Figure(
        name="reused", title="Processes that are used again", measures=[RATE],
        how=f"{sizes.pool} no-op jobs, two processes",
    )  # fmt: skip
    ours = systems.OURS_REUSED if systems.HAS_REUSE else None
    _alternate(stage, sizes, figure, ours, systems.POOLS, _rate_of(sizes.pool))
    return figure


def latency(stage: Stage, sizes: Sizes) -> Figure:
    """Measure how long an idle system takes from the call that enqueues to the handler's first line."""
    figure = Figure(
        name="latency", title="From enqueueing to the handler's first line, when idle", measures=[P50, P99],
        how=f"{sizes.starts} jobs a round, one at a time; from before the call that enqueues", is_rate=False,
    )  # fmt: skip

    def measure(system: System, row: Row) -> None:
        stage.reset(system)
        stage.produce(system, "one", 20)
        with stage.working(system):
            stage.wait_for_stamps(system, 20)
            taken = sorted(stage.produce(system, "latency", sizes.starts))
        row.add(P50, statistics.median(taken))
        row.add(P99, taken[min(len(taken) - 1, round(0.99 * len(taken)))])

    more = [systems.OURS_REUSED] if systems.HAS_REUSE else []
    peers = [systems.RQ, systems.CELERY, systems.HUEY_REDIS, systems.HUEY_SQLITE, systems.PROCRASTINATE]
    _once_a_round(stage, sizes, figure, [systems.OURS_FORK, *more, *peers], measure)
    return figure


def enqueue(stage: Stage, sizes: Sizes) -> Figure:
    """Measure how fast jobs are enqueued while nothing runs them."""
    figure = Figure(
        name="enqueue", title="Enqueueing", measures=[ONE, BULK],
        how=f"{sizes.enqueued} jobs, each acknowledged before the next; 5 times as many in bulk",
    )  # fmt: skip

    def measure(system: System, row: Row) -> None:
        stage.reset(system)
        row.add(ONE, (sizes.enqueued - 1) / stage.produce(system, "one", sizes.enqueued))
        seconds = stage.produce(system, "many", sizes.enqueued * 5) if _has_bulk(system) else None
        row.add(BULK, sizes.enqueued * 5 / seconds if seconds else None)

    every = [systems.OURS_FORK, systems.RQ, *systems.POOLS]
    _once_a_round(stage, sizes, figure, every, measure, renamed={systems.OURS_FORK.name: "ours, SQLite"})
    return figure


def table(stage: Stage, sizes: Sizes) -> Figure:
    """Measure ours where the table is full of finished and waiting jobs, against an empty one."""
    figure = Figure(
        name="table", title="With a full table", measures=[RATE],
        how=f"{sizes.finished_rows:,} finished jobs with their attempts and {sizes.pending_rows:,} pending, "
        "against a table that holds only the jobs of the round",
    )  # fmt: skip
    big_table.measure(stage, sizes, figure)
    return figure


def idle(stage: Stage, sizes: Sizes) -> Figure:
    """Measure what workers with nothing to do hold and use, once they have worked."""
    figure = Figure(
        name="idle", title="At rest", measures=[MEMORY, CPU], is_rate=False,
        how=f"after 100 jobs; PSS of all processes together, CPU over {sizes.idle_seconds:g} s; without "
        "Redis and PostgreSQL themselves",
    )  # fmt: skip

    def measure(system: System, row: Row) -> None:
        stage.reset(system)
        stage.produce(system, "many", 100)
        with stage.working(system) as processes:
            stage.wait_for_stamps(system, 100)
            time.sleep(1.5)
            everyone = family(processes)
            before = sum(sum(each.cpu_times()[:2]) for each in everyone)
            time.sleep(sizes.idle_seconds)
            after = sum(sum(each.cpu_times()[:2]) for each in everyone)
            row.add(MEMORY, sum(each.memory_full_info().pss for each in everyone) / MIB)
        row.add(CPU, 100 * (after - before) / sizes.idle_seconds)

    ours = [systems.OURS_FORK, *([systems.OURS_REUSED] if systems.HAS_REUSE else [])]
    peers = [systems.RQ, systems.CELERY, systems.DRAMATIQ, systems.HUEY_REDIS, systems.PROCRASTINATE]
    _once_a_round(stage, Sizes(rounds=1), figure, [*ours, *peers], measure)
    return figure


def postgres(stage: Stage, sizes: Sizes) -> Figure:
    """Measure ours against Procrastinate, both on one PostgreSQL."""
    count = sizes.pool // 2
    figure = Figure(
        name="postgres", title="On PostgreSQL", measures=[RATE],
        how=f"{count} no-op jobs, two at a time, on one server with its default settings",
    )  # fmt: skip
    ours = systems.OURS_POSTGRES if systems.HAS_REUSE else systems.OURS_POSTGRES_FORK
    more = [systems.OURS_POSTGRES_FORK] if systems.HAS_REUSE else []
    _alternate(stage, sizes, figure, ours, [*more, systems.PROCRASTINATE], _rate_of(count))
    return figure


FIGURES: Final[dict[str, Callable[[Stage, Sizes], Figure]]] = {
    each.__name__: each for each in (fresh, reused, latency, enqueue, table, idle, postgres)
}

Measure = Callable[[Stage, System], float]


def _rate_of(count: int) -> Measure:
    return lambda stage, system: throughput(stage, system, count)


def _alternate(
    stage: Stage,
    sizes: Sizes,
    figure: Figure,
    ours: System | None,
    peers: Sequence[System],
    measure: Measure,
) -> None:
    """Measure ours, a peer, ours, the next peer, and so on, as often as there are rounds."""
    each = [system for peer in peers for system in (ours, peer) if system is not None]
    if sizes == QUICK and ours is not None:
        each = [ours, *peers]

    def add(system: System, row: Row) -> None:
        row.add(figure.measures[0], measure(stage, system))

    if ours is None:
        figure.notes.append("`RUNNER_JOBS_PER_PROCESS` does not exist here, so ours is left out")
    _once_a_round(stage, sizes, figure, each, add)


def _once_a_round(
    stage: Stage,
    sizes: Sizes,
    figure: Figure,
    every: Sequence[System],
    measure: Callable[[System, Row], None],
    *,
    renamed: dict[str, str] | None = None,
) -> None:
    """Measure each system once in every round; one that fails is left out from then on, and says why."""
    rows: dict[str, Row] = {}
    failed: set[str] = set()
    for number, system in _rounds(stage, sizes, every):
        if system.name in failed:
            continue
        name = (renamed or {}).get(system.name, system.name)
        row = rows.setdefault(name, Row(name=name, is_ours=system.is_ours, settings=system.settings))
        try:
            measure(system, row)
        except Stuck as error:
            failed.add(system.name)
            figure.notes.append(f"{name}: left out from round {number} on: {error}")
        _say(figure, number, row)
    figure.rows = [row for row in rows.values() if row.samples]


def _rounds(stage: Stage, sizes: Sizes, every: Sequence[System]) -> Iterator[tuple[int, System]]:
    for number in range(1, sizes.rounds + 1):
        yield from ((number, system) for system in every if stage.has(system))


def _say(figure: Figure, number: int, row: Row) -> None:
    latest = ", ".join(f"{name.split(', ')[0]} {found[-1]:,.1f}" for name, found in row.samples.items())
    print(f"{figure.name:<9} round {number}  {row.name:<44} {latest}", flush=True)


def _has_bulk(system: System) -> bool:
    return system.is_ours or system in (systems.RQ, systems.PROCRASTINATE)
