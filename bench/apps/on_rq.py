"""RQ. The worker imports the handler before it forks, as RQ's notes on performance advise."""

from __future__ import annotations

import logging
import os

from redis import Redis
from rq import Queue, Worker

from bench.stamp import stamp

connection = Redis(port=int(os.environ["BENCH_REDIS_PORT"]))
queue = Queue("bench", connection=connection)


def enqueue() -> None:
    """Enqueue one job; nothing is kept of its result."""
    queue.enqueue(stamp, result_ttl=0)


def enqueue_many(count: int) -> None:
    """Enqueue jobs in one pipeline."""
    queue.enqueue_many([Queue.prepare_data(stamp, result_ttl=0) for _ in range(count)])


if __name__ == "__main__":
    logging.disable(logging.INFO)
    Worker([queue], connection=connection, log_job_description=False).work(logging_level="WARNING")
