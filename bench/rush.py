"""Measure a deadline: `python -m bench.rush`, web server, launcher and SQLite as `script/server` runs them.

400 students hand in four times within five minutes, more than half of it in the last thirty seconds, and
one of them floods. Writes docs/deadline.md's table after a full run.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import psutil

from bench import machine
from bench.rush_load import plan, send
from bench.rush_site import DEMO, TOP, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rush_load import Answer

DOCUMENT: Final = TOP / "docs" / "deadline.md"
MARKS: Final = ("<!-- measured -->\n", "<!-- /measured -->\n")
ASSIGNMENT: Final = "prime-numbers"
TAKEN: Final = 303
# How long after the deadline the last result is waited for.
PATIENCE_SECONDS: Final = 900.0

_NEWEST: Final = """
    SELECT s.id, s.student_id, s.created_at, g.graded_at FROM submissions s
    LEFT JOIN grades g ON g.submission_id = s.id
    WHERE s.number = (SELECT max(number) FROM submissions o WHERE o.student_id = s.student_id)
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a rush is."""

    students: int
    attempts: int
    seconds: float


FULL: Final = Size(students=400, attempts=4, seconds=300)
SHORT: Final = Size(students=40, attempts=4, seconds=30)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one rush and print what came of it."""
    asked = _parser().parse_args(arguments)
    size = SHORT if asked.short else FULL
    folder = Path(tempfile.mkdtemp(prefix="rush-", dir="/var/tmp"))
    try:
        rows = measure(size, folder)
    finally:
        if asked.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    table = "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])
    print(table)
    if asked.write:
        _write(f"{table}\n")
    return 0


def measure(size: Size, folder: Path) -> list[tuple[str, str]]:
    """Run the rush in a folder and give its figures, in words."""
    site = Site(folder)
    due_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assignment, people = site.prepare(size.students, ASSIGNMENT, due_at)
    works = [path.read_bytes() for path in sorted((DEMO / ASSIGNMENT / "solutions").glob("*.py"))]
    attempts = plan(size.students, size.attempts, size.seconds, works)
    load = machine.load()
    print(f"prepared: {len(people)} students are signed in, {len(attempts)} hand-ins are planned", flush=True)
    with site.running():
        began, cpu = time.monotonic(), _cpu()
        answers = send(site.port, assignment, people, attempts)
        deadline = time.monotonic()
        for name, value in _accepted(answers, size):
            print(f"{name}: {value}", flush=True)
        graded = _wait(site.database, _all_newest_are_graded) - deadline
        drained = _wait(site.database, _nothing_is_due) - deadline
        busy = (_cpu() - cpu) / (time.monotonic() - began)
    with _reading(site.database) as connection:
        return [
            ("students, hand-ins, time", f"{size.students}, {len(attempts)}, {size.seconds:g} s"),
            ("cores, load before, CPU used", f"{psutil.cpu_count()}, {load}, {busy:.1f} cores"),
            *_accepted(answers, size),
            ("newest of every student graded, after the deadline", f"{graded:.0f} s"),
            ("nothing left to do, after the deadline", f"{drained:.0f} s"),
            *_kept(connection, answers, size),
        ]


def _accepted(answers: Sequence[Answer], size: Size) -> list[tuple[str, str]]:
    refused = [each.status for each in answers if each.status != TAKEN]
    peak = [each.seconds for each in answers if each.at > size.seconds * 0.9]
    rate = len(peak) / (size.seconds * 0.1)
    return [
        ("refused", f"{len(refused)}" + (f" ({sorted(set(refused))})" if refused else "")),
        ("accepted: p50, p99, slowest", _spread([each.seconds for each in answers])),
        (f"at the peak, {rate:.0f} a second: p50, p99, slowest", _spread(peak)),
    ]


def _kept(connection: sqlite3.Connection, answers: Sequence[Answer], size: Size) -> list[tuple[str, str]]:
    taken = sum(each.status == TAKEN for each in answers)
    one = lambda query: connection.execute(query).fetchone()[0]  # noqa: E731 - said eight times
    stored = one("SELECT count(*) FROM submissions")
    doubled = one(
        "SELECT count(*) FROM (SELECT 1 FROM submissions GROUP BY student_id, sha256 HAVING count(*) > 1)"
    )
    receipts = one("SELECT count(*) FROM outbox_mails WHERE kind = 'receipt'")
    grades = one("SELECT count(*) FROM outbox_mails WHERE kind IN ('grade', 'grade-changed')")
    waits = [
        (student, _seconds(created, graded)) for _, student, created, graded in connection.execute(_NEWEST)
    ]
    flooder = max(student for student, _ in waits)
    runs = one("SELECT count(*) FROM background_job_attempts")
    graded = one(
        "SELECT count(*) FROM background_job_attempts a JOIN background_jobs j ON j.id = a.job_id "
        "WHERE j.class_name LIKE '%AutomatedGradingJob'"
    )
    failed = one("SELECT count(*) FROM background_jobs WHERE status = 'failed'")
    others = [seconds for student, seconds in waits if student != flooder]
    return [
        ("taken, stored, doubled", f"{taken}, {stored}, {doubled}"),
        ("receipts, grade mails", f"{receipts}, {grades}"),
        ("jobs run, of them gradings; failed", f"{runs}, {graded}; {failed}"),
        ("newest attempt, hand-in to grade: p50, p99, slowest", _spread(others)),
        (f"who handed in {size.students and 20} times, the newest", f"{dict(waits)[flooder]:.1f} s"),
    ]


def _all_newest_are_graded(connection: sqlite3.Connection) -> bool:
    return connection.execute(f"{_NEWEST} AND g.submission_id IS NULL LIMIT 1").fetchone() is None


def _nothing_is_due(connection: sqlite3.Connection) -> bool:
    query = (
        "SELECT 1 FROM background_jobs WHERE status IN ('pending', 'running') "
        "AND run_at <= datetime('now') LIMIT 1"
    )
    return connection.execute(query).fetchone() is None


def _wait(database: Path, condition: Any) -> float:
    """Wait until something holds, and give when; raises when it takes far too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with _reading(database) as connection:
            if condition(connection):
                return time.monotonic()
        time.sleep(0.25)
    raise RuntimeError(f"not within {PATIENCE_SECONDS:g} s: {condition.__name__}")


@contextlib.contextmanager
def _reading(database: Path) -> Any:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        yield connection


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "-"
    values = (median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], ordered[-1])
    if values[-1] < 10:  # noqa: PLR2004 - above, milliseconds say nothing
        return ", ".join(f"{value * 1000:.0f} ms" for value in values)
    return ", ".join(f"{value:.1f} s" for value in values)


def _seconds(start: str, end: str) -> float:
    return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)).total_seconds()


def _cpu() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait)


def _write(table: str) -> None:
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    DOCUMENT.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.rush", description=__doc__)
    parser.add_argument("--short", action="store_true", help="40 students, four times, in 30 seconds")
    parser.add_argument("--write", action="store_true", help="write the table into docs/deadline.md")
    parser.add_argument("--keep", action="store_true", help="leave database and logs where they were made")
    return parser


if __name__ == "__main__":
    sys.exit(main())
