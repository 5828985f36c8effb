"""Ours in a table of many rows, which are written by SQL: enqueueing them would take minutes."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import systems
from bench.results import Row

if TYPE_CHECKING:
    from bench.figures import Sizes
    from bench.results import Figure
    from bench.stage import Stage
    from bench.systems import System

RATE: Final = "jobs/s"
# What a finished job has that a pending one has not.
FINISHED: Final = {
    "status": "'completed'",
    "attempt": "1",
    "attempts_used": "1",
    "started_at": "created_at",
    "finished_at": "created_at",
}


def measure(stage: Stage, sizes: Sizes, figure: Figure) -> None:
    """Alternate between a full table, made once, and empty ones."""
    modes = [(systems.OURS_FORK, sizes.fresh)]
    if systems.HAS_REUSE:
        modes.append((systems.OURS_REUSED, sizes.pool))
    usual = stage.folder
    full = usual.with_name("work-full")
    try:
        stage.folder = full
        _fill(stage, systems.OURS_FORK, sizes)
        for system, count in modes:
            rows = {
                path: Row(name=f"{system.name}, {what} table", is_ours=True)
                for path, what in ((usual, "empty"), (full, "full"))
            }
            for number in range(1, sizes.rounds + 1):
                for path, row in rows.items():
                    stage.folder = path
                    row.add(RATE, _rate(stage, system, count, is_full=path == full))
                    print(
                        f"table     round {number}  {row.name:<44} {row.samples[RATE][-1]:,.1f}", flush=True
                    )
            figure.rows += rows.values()
    finally:
        stage.reset(systems.OURS_FORK)
        stage.folder = full
        stage.reset(systems.OURS_FORK)
        stage.folder = usual


def _rate(stage: Stage, system: System, count: int, *, is_full: bool) -> float:
    """Give the rate of the first `count` jobs after the warm-up; more wait behind them in either table."""
    warm_up = max(20, count // 5)
    if is_full:
        stage.stamps.unlink(missing_ok=True)
    else:
        stage.reset(system)
        stage.produce(system, "many", count + 2 * warm_up)
    with stage.working(system):
        stamps = stage.wait_for_stamps(system, count + warm_up)
    return count / ((stamps[count + warm_up - 1] - stamps[warm_up - 1]) / 1e9)


def _fill(stage: Stage, system: System, sizes: Sizes) -> None:
    """Copy one job that was enqueued into as many rows as are asked for."""
    stage.reset(system)
    stage.produce(system, "one", 1)
    began = time.monotonic()
    with contextlib.closing(sqlite3.connect(stage.folder / "jobs.db")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(background_jobs)")]
        columns.remove("id")
        _copy(connection, columns, FINISHED, sizes.finished_rows)
        connection.execute(_ATTEMPTS)
        _copy(connection, columns, {}, sizes.pending_rows)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = Path(stage.folder / "jobs.db").stat().st_size >> 20
    print(f"table     filled: {size} MiB in {time.monotonic() - began:.0f} s", flush=True)


def _copy(connection: sqlite3.Connection, columns: list[str], changed: dict[str, str], count: int) -> None:
    values = ", ".join(changed.get(name, name) for name in columns)
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "  # noqa: S608 - names of columns
        f"INSERT INTO background_jobs ({', '.join(columns)}) "
        f"SELECT {values} FROM n CROSS JOIN (SELECT * FROM background_jobs WHERE id = 1)",
        (count,),
    )


_ATTEMPTS: Final = (
    "INSERT INTO background_job_attempts"
    " (job_id, number, outcome, host, pid, started_at, finished_at, exit_code, log_bytes) "
    "SELECT id, 1, 'completed', 'bench', 1, started_at, finished_at, 0, 0 "
    "FROM background_jobs WHERE status = 'completed'"
)
