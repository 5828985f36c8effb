"""Procrastinate on PostgreSQL; a worker has connections enough for what it does at once."""

from __future__ import annotations

import os

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from bench.stamp import stamp

_conninfo = f"postgresql://bench@127.0.0.1:{os.environ['BENCH_POSTGRES_PORT']}/bench"
app = App(connector=PsycopgConnector(conninfo=_conninfo, min_size=4, max_size=12))


@app.task(queue="bench")
async def noop() -> None:
    """Leave a stamp."""
    stamp()


_sender = App(connector=SyncPsycopgConnector(conninfo=_conninfo))


@_sender.task(queue="bench", name=noop.name)
def _noop() -> None:
    """Stand for the handler where jobs are sent."""


def enqueue() -> None:
    """Enqueue one job, committed."""
    _opened()
    _noop.defer()


def enqueue_many(count: int) -> None:
    """Enqueue jobs in one statement."""
    _opened()
    _noop.batch_defer(*({} for _ in range(count)))


def _opened() -> None:
    global _is_open  # noqa: PLW0603 - a pool is opened once a process
    if not _is_open:
        _sender.open()
        _is_open = True


_is_open = False
