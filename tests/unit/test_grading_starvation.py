"""Time in line for a processor is known, and time asleep is none."""

from __future__ import annotations

import os
import subprocess
import sys

from app.academic.grading.starvation import waited_seconds

CORE = {min(os.sched_getaffinity(0))}


def test_who_shares_a_processor_waits_for_it() -> None:
    """Two that spin on one processor each stand in line for about half of the time."""
    until = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    spin = f"{until}\nprint(); input()"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {CORE})\n{spin}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        one.stdout.read(1)

    waited = sum(waited_seconds(one.pid) for one in both)
    for one in both:
        one.communicate(b"\n", timeout=20)

    assert waited > 0.2


def test_children_count_and_the_dead_do_not() -> None:
    """What stands below a process counts with it; a process that is gone has waited for nothing."""
    assert waited_seconds(os.getpid()) >= 0
    assert 0 == waited_seconds(2**22 + 7)
