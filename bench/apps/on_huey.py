"""Huey with Redis or with SQLite; BENCH_HUEY says which, and whether SQLite waits for the disk."""

from __future__ import annotations

import os
from pathlib import Path

from huey import RedisHuey, SqliteHuey

from bench.stamp import stamp

_kind = os.environ["BENCH_HUEY"]
if _kind == "redis":
    huey = RedisHuey("bench", results=False, port=int(os.environ["BENCH_REDIS_PORT"]))
else:
    file = Path(os.environ["BENCH_FOLDER"]) / "huey.db"
    huey = SqliteHuey("bench", results=False, filename=str(file), fsync=_kind == "fsync", timeout=30)


@huey.task()
def noop() -> None:
    """Leave a stamp."""
    stamp()


def enqueue() -> None:
    """Enqueue one job."""
    noop()
