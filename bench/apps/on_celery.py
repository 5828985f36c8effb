"""Celery: results ignored, prefetching on, events off."""

from __future__ import annotations

import os

from celery import Celery

from bench.stamp import stamp

app = Celery("bench", broker=f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0")
app.conf.update(
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_prefetch_multiplier=64,
    worker_disable_rate_limits=True,
    broker_connection_retry_on_startup=True,
)


@app.task
def noop() -> None:
    """Leave a stamp."""
    stamp()


def enqueue() -> None:
    """Enqueue one job."""
    noop.delay()
