"""The long form: `script/stress` kills for as long as it is told to, and writes what came of it.

docs/reliability.md has parts between marks that are written here: figures, machine and seed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.stress import laws
from tests.stress.chaos import Chaos, Tally
from tests.stress.test_cancel import SLOTS, cancel_trials
from tests.stress.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP: Final = Path(__file__).resolve().parents[2]
PAGE: Final = TOP / "docs" / "reliability.md"
BEGIN: Final = "<!-- written by script/stress, {} processes: begin -->"
END: Final = "<!-- written by script/stress, {} processes: end -->"
DRAIN_SECONDS: Final = 600.0


def main(given: Sequence[str]) -> int:
    """Run the chaos and the cancels, write the page; 0 only if every law held."""
    options = _options(given)
    _say(f"seed {options.seed}: {options.kills} kills over {options.jobs} jobs")
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        found = run_chaos(World(Path(folder)), options)
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        found |= run_cancels(World(Path(folder)), options.cancels)
    text = _as_text(found, options)
    _say(text)
    for sentence in [each for broken in found["broken"].values() for each in broken][:50]:
        _say(f"BROKEN {sentence}")
    if not options.dry:
        _write(text, "fresh" if options.jobs_per_process == 1 else "reused")
    return 1 if any(found["broken"].values()) or found["survivors"] else 0


def run_chaos(world: World, options: argparse.Namespace) -> dict[str, Any]:
    """Kill at random, have what is left done, and check the laws."""
    world.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = str(options.jobs_per_process)
    began = time.monotonic()
    chaos = Chaos(world, jobs=options.jobs, kills=options.kills, seed=options.seed, pause=options.pause)
    try:
        tally = chaos.run(seconds=options.duration)
        chaos.drain(seconds=DRAIN_SECONDS)
        broken = laws.broken(world, tally)
        return (
            laws.summary(world)
            | _figures(world, tally)
            | {
                "broken": broken,
                "seconds": time.monotonic() - began,
            }
        )
    finally:
        world.end()


def run_cancels(world: World, trials: int) -> dict[str, Any]:
    """Cancel stubborn jobs."""
    try:
        if trials:
            world.launch_slots(SLOTS)
        return {"cancels": trials, "survivors": cancel_trials(world, trials)}
    finally:
        world.end()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _figures(world: World, tally: Tally) -> dict[str, Any]:
    ledger = world.ledger.read_text(encoding="utf-8").splitlines()
    return {
        "tally": tally,
        "swept": _spread([death.swept_after or 0 for death in tally.deaths]),
        "rescued": _spread([death.rescued_after or 0 for death in tally.deaths]),
        "rescuers": _rescuers_killed(tally),
        "ledger": Counter(line.split()[0] for line in ledger),
    }


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "nothing was killed"
    ordered = sorted(seconds)
    usual, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return f"median {usual:.2f} s, 95 % {most:.2f} s, longest {ordered[-1]:.2f} s"


def _rescuers_killed(tally: Tally) -> int:
    """Count those that were killed while the longest wait lasted: who would rescue must live to."""
    longest = max(tally.deaths, key=lambda death: death.rescued_after or 0, default=None)
    if longest is None:
        return 0
    until = longest.at + (longest.rescued_after or 0)
    return sum(longest.at < death.at < until for death in tally.deaths)


def _as_text(found: dict[str, Any], options: argparse.Namespace) -> str:
    tally: Tally = found["tally"]
    kills = sum(tally.kills.values())
    rows = [
        ("kill -9", f"{kills} ({_counts(tally.kills)})"),
        ("jobs", f"{sum(found['jobs'].values())} ({_counts(found['jobs'])})"),
        ("attempts", f"{sum(found['attempts'].values())} ({_counts(found['attempts'])})"),
        ("meanwhile", f"people did: {_counts(tally.verbs)}; transactions: {_counts(found['ledger'])}"),
        *((law.replace("_", " "), _verdict(broken)) for law, broken in found["broken"].items()),
        ("processes of a killed launcher are gone after", f"{found['swept']} (promised: 5 s)"),
        ("its jobs are given back after", f"{found['rescued']} (promised: 15 s)"),
        ("launchers on record killed during the longest of these waits", str(found["rescuers"])),
        ("cancels with stubborn children", f"{found['cancels']} trials, {len(found['survivors'])} survivors"),
    ]
    head = (
        f"Run on {dt.datetime.now(dt.UTC):%Y-%m-%d} with seed {options.seed} in {found['seconds']:.0f} s,"
        f" `RUNNER_JOBS_PER_PROCESS={options.jobs_per_process}`, on {_machine()}.\n"
    )
    return "\n".join(
        [head, "| what | result |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows)]
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def _verdict(broken: list[str]) -> str:
    return f"**broken {len(broken)} times**, first: {broken[0]}" if broken else "held, 0 exceptions"


def _machine() -> str:
    cores, load = os.cpu_count(), os.getloadavg()[0]
    python = platform.python_version()
    return (
        f"{platform.system()} {platform.release()}, {cores} cores (load {load:.1f}), Python {python},"
        f" SQLite {sqlite3.sqlite_version} with synchronous=FULL"
    )


def _write(text: str, mode: str) -> None:
    begin, end = BEGIN.format(mode), END.format(mode)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _options(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/stress", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--duration", type=float, default=7200.0, help="seconds, at most, of killing")
    parser.add_argument("--pause", type=float, default=0.6, help="seconds between kills, on average")
    parser.add_argument("--cancels", type=int, default=200, help="trials of cancelling stubborn jobs")
    parser.add_argument("--jobs-per-process", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="do not write docs/reliability.md")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
