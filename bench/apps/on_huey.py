"""Huey with Redis or with SQLite; BENCH_HUEY says which, and whether SQLite waits for the disk."""

from __future__ import annotations

import os
from pathlib import Path

from huey import RedisHuey, SqliteHuey

from bench.stamp import stamp

_kind = os.environ["BENCH_HUEY"]


def _on_sqlite(*, fsync: bool) -> SqliteHuey:
    file = Path(os.environ["BENCH_FOLDER"]) / "huey.db"
    return SqliteHuey("bench", results=False, filename=str(file), fsync=fsync, timeout=30)


if _kind == "redis":
    huey = RedisHuey("bench", results=False, port=int(os.environ["BENCH_REDIS_PORT"]))
else:
    huey = _on_sqlite(fsync=_kind == "fsync")


@huey.task()
def noop() -> None:
    """Leave a stamp."""
    stamp()


def enqueue() -> None:
    """Enqueue one job."""
    noop()


def enqueue_many(count: int) -> None:
    """Fill the queue where filling it is not what is measured: without waiting for the disk."""
    if _kind == "fsync":
        huey.storage = _on_sqlite(fsync=False).storage
    for _ in range(count):
        noop()
