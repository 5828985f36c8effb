"""Dramatiq with Redis; how much it prefetches is set by `dramatiq_queue_prefetch`."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.stamp import stamp

dramatiq.set_broker(RedisBroker(port=int(os.environ["BENCH_REDIS_PORT"])))


@dramatiq.actor
def noop() -> None:
    """Leave a stamp."""
    stamp()


def enqueue() -> None:
    """Enqueue one job."""
    noop.send()
