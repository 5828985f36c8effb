"""How long a job waits: by its priority before a claim, by its failures before a retry."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

# Seconds before the first retry; each further one doubles it. With the cap, twenty failures span four hours.
FIRST_SECONDS: Final = 2.0
CAP_SECONDS: Final = 900.0
# Full spread below the wanted delay would allow zero; a half keeps retries apart and the delay honest.
JITTER: Final = 0.5

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def retry_seconds(failures: int, *, chance: float | None = None) -> float:
    """Give the seconds to wait after the `failures`-th failure: exponential, capped, with jitter.

    `chance` in [0, 1) stands for the random draw. The idea of jitter is from M. Brooker,
    "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """
    whole = min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(max(failures, 1) - 1, 30))
    draw = random.random() if chance is None else chance  # noqa: S311 - spreads load, keeps no secret
    return whole * (1 - JITTER * draw)


def rank_of(run_at: dt.datetime, priority: int, ageing_seconds: float) -> int:
    """Give the place in line, in microseconds since the epoch: `run_at + (priority - 1) * ageing`.

    A high job is served as if it had come `ageing_seconds` before a medium one; a low job that
    has waited long enough is older than any newcomer, so it never starves.
    """
    return (run_at - _EPOCH) // _MICROSECOND + round((priority - 1) * ageing_seconds * 1e6)


def attempts_allowed(retries: int, priority: int) -> int:
    """Give 1 + retries, one more for high priority, one fewer for low, never under 1."""
    return max(1, 1 + retries + {1: 1, 2: 0, 3: -1}[priority])
