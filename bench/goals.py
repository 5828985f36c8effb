"""What the figures are to reach, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results import Figure, Results


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One goal: what is compared, its bound, and what was measured; None where it was not."""

    what: str
    wanted: float
    measured: float | None
    unit: str = ""
    is_least: bool = True

    @property
    def is_reached(self) -> bool | None:
        """Whether what was measured is good enough."""
        if self.measured is None:
            return None
        return self.measured >= self.wanted if self.is_least else self.measured <= self.wanted


def goals(results: Results) -> list[Goal]:
    """Hold a run against what it is to reach; figures that were not measured are left out."""
    found: list[Goal] = []
    for name, judge in _JUDGES.items():
        if (figure := results.figure(name)) is not None and figure.rows:
            found += judge(figure)
    return found


def _fresh(figure: Figure) -> list[Goal]:
    ratio = figure.ratio("ours", "RQ", "jobs/s")
    return [
        Goal(what="a fresh process per job, against RQ with two workers", wanted=4, measured=ratio, unit="x")
    ]


def _reused(figure: Figure) -> list[Goal]:
    measured = {row.name: row.median("jobs/s") or 0.0 for row in figure.rows if not row.is_ours}
    fastest = max(measured, key=lambda name: measured[name], default="")
    ratios = figure.ratio("ours", fastest, "jobs/s"), figure.ratio("ours", "Celery", "jobs/s")
    return [
        Goal(
            what=f"reused processes, against the fastest peer ({fastest})",
            wanted=2,
            measured=ratios[0],
            unit="x",
        ),
        Goal(what="reused processes, against Celery", wanted=15, measured=ratios[1], unit="x"),
    ]


def _latency(figure: Figure) -> list[Goal]:
    p50, p99 = (figure.median("ours, a fresh", measure) for measure in figure.measures)
    what = "from enqueueing to the handler, a fresh process per job"
    return [
        Goal(what=f"{what}, p50", wanted=3, measured=p50, unit="ms", is_least=False),
        Goal(what=f"{what}, p99", wanted=15, measured=p99, unit="ms", is_least=False),
    ]


def _enqueue(figure: Figure) -> list[Goal]:
    one, bulk = figure.measures
    ratio = figure.ratio("ours", "Huey, SQLite with fsync", one)
    return [
        Goal(what="enqueueing one per commit, against Huey with fsync", wanted=1, measured=ratio, unit="x"),
        Goal(what="enqueueing in bulk", wanted=50_000, measured=figure.median("ours", bulk), unit="jobs/s"),
    ]


def _table(figure: Figure) -> list[Goal]:
    modes = ("ours, a fresh process per job", "ours, reused processes")
    return [
        Goal(what=f"a full table against an empty one: {mode}", wanted=0.8, measured=ratio, unit="x")
        for mode in modes
        if (ratio := figure.ratio(f"{mode}, full", f"{mode}, empty", "jobs/s")) is not None
    ]


def _idle(figure: Figure) -> list[Goal]:
    memory, cpu = figure.measures
    name = "ours, reused" if figure.row("ours, reused") else "ours"
    return [
        Goal(
            what="memory of launcher and two warm processes, idle",
            wanted=150, measured=figure.median(name, memory), unit="MiB", is_least=False,
        ),
        Goal(
            what="CPU of an idle launcher",
            wanted=0.5, measured=figure.median(name, cpu), unit="%", is_least=False,
        ),
    ]  # fmt: skip


def _postgres(figure: Figure) -> list[Goal]:
    name = "ours on PostgreSQL, reused" if figure.row("ours on PostgreSQL, reused") else "ours"
    ratio = figure.ratio(name, "Procrastinate", "jobs/s")
    return [Goal(what="on PostgreSQL, against Procrastinate", wanted=3, measured=ratio, unit="x")]


_JUDGES = {
    "fresh": _fresh,
    "reused": _reused,
    "latency": _latency,
    "enqueue": _enqueue,
    "table": _table,
    "idle": _idle,
    "postgres": _postgres,
}
