"""Enqueue for one system, in a process of its own: `python -m bench.produce MODULE one|many|latency N`.

Prints JSON: seconds for `one` and `many`, milliseconds from the call to the handler for `latency`.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench.stamp import SIZE

PATIENCE_SECONDS: Final = 20.0
WARM_UP: Final = 10


def one(module: Any, count: int) -> float:
    """Enqueue jobs one by one, each acknowledged before the next."""
    module.enqueue()
    began = time.perf_counter()
    for _ in range(count - 1):
        module.enqueue()
    return time.perf_counter() - began


def many(module: Any, count: int) -> float | None:
    """Enqueue jobs together, where the system can."""
    began = time.perf_counter()
    if not hasattr(module, "enqueue_many"):
        one(module, count)
        return None
    module.enqueue_many(count)
    return time.perf_counter() - began


def latency(module: Any, count: int) -> list[float]:
    """Enqueue a job whenever the system has been idle for a moment, and see when it begins."""
    stamps = Path(os.environ["BENCH_STAMPS"])
    stamps.touch()
    dice = random.Random(1)  # noqa: S311 - moments, not secrets
    taken = []
    for _ in range(count + WARM_UP):
        # Not at one beat with anybody's polling.
        time.sleep(dice.uniform(0.02, 0.06))
        size = stamps.stat().st_size
        began = time.monotonic_ns()
        module.enqueue()
        taken.append((_next_stamp(stamps, size) - began) / 1e6)
    return taken[WARM_UP:]


def _next_stamp(stamps: Path, size: int) -> int:
    until = time.monotonic() + PATIENCE_SECONDS
    while stamps.stat().st_size < size + SIZE:
        if time.monotonic() > until:
            raise TimeoutError(f"no job began within {PATIENCE_SECONDS:g} s")
        time.sleep(0.0005)
    with stamps.open("rb") as file:
        file.seek(size)
        found: int = struct.unpack("=q", file.read(SIZE))[0]
    return found


def main() -> None:
    """Do what the command line says."""
    name, verb, count = sys.argv[1:4]
    module = import_module(name)
    verbs = {"one": one, "many": many, "latency": latency}
    print("PRODUCED", json.dumps(verbs[verb](module, int(count))), flush=True)
    # Pools and threads of some clients hold a process up at its end; what they were for is done.
    os._exit(0)


if __name__ == "__main__":
    main()
