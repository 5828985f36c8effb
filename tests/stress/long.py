"""The long form: `script/stress` kills for as long as it is told to, and writes what came of it.

Several houses, each with a database, launchers and a chaos of its own, stand beside each other: most of
the time of one is spent waiting. docs/reliability.md has parts between marks that are written here:
figures, machine and seed.
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
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.launching import House
from tests.stress import laws
from tests.stress.chaos import Chaos
from tests.stress.test_cancel import SLOTS, cancel_trials
from tests.stress.test_databases import locked_for
from tests.stress.watcher import slowness
from tests.stress.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.stress.chaos import Tally

TOP: Final = Path(__file__).resolve().parents[2]
PAGE: Final = TOP / "docs" / "reliability.md"
BEGIN: Final = "<!-- written by script/stress, {} processes: begin -->"
LOAD_SECONDS: Final = 10.0
_COUNTED: Final = ("jobs", "attempts", "kills", "verbs", "ledger")
END: Final = "<!-- written by script/stress, {} processes: end -->"


def main(given: Sequence[str]) -> int:
    """Run the chaos and the cancels, write the page; 0 only if every law held."""
    options = _options(given)
    _say(f"seed {options.seed}: {options.kills} kills over {options.jobs} jobs in {options.houses} houses")
    found = run_houses(options)
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        found |= run_cancels(World(Path(folder)), options.cancels)
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        found |= run_locked(House(Path(folder)), options.locked)
    text = _as_text(found, options)
    _say(text)
    for sentence in [each for broken in found["broken"].values() for each in broken][:50]:
        _say(f"BROKEN {sentence}")
    if not options.dry:
        _write(text, "fresh" if options.jobs_per_process == 1 else "reused")
    return 1 if any(found["broken"].values()) or found["survivors"] or found["locked_problem"] else 0


def run_houses(options: argparse.Namespace) -> dict[str, Any]:
    """Have chaos in all houses at once, and put together what came of it."""
    began, loads = time.monotonic(), [os.getloadavg()[0]]
    with ProcessPoolExecutor(options.houses, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(run_chaos, options, number) for number in range(options.houses)]
        while wait(runs, timeout=LOAD_SECONDS).not_done:
            loads.append(os.getloadavg()[0])
        found = [run.result() for run in runs]
    together: dict[str, Any] = {name: _sum(each[name] for each in found) for name in _COUNTED}
    together["broken"] = {
        law: [x for each in found for x in each["broken"][law]] for law in found[0]["broken"]
    }
    for name in ("swept", "rescued", "slowness", "clock"):
        together[name] = [seconds for each in found for seconds in each[name]]
    return together | {"seconds": time.monotonic() - began, "load": max(loads)}


def run_chaos(options: argparse.Namespace, number: int) -> dict[str, Any]:
    """Kill at random in one house, have what is left done, and check the laws."""
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        world = World(Path(folder))
        world.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = str(options.jobs_per_process)
        jobs, kills = options.jobs // options.houses, options.kills // options.houses
        chaos = Chaos(world, jobs=jobs, kills=kills, seed=options.seed + number, pause=options.pause)
        try:
            tally = chaos.run(seconds=options.duration)
            broken = laws.broken(world, tally)
            return laws.summary(world) | _figures(world, tally) | {"broken": broken}
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


def run_locked(house: House, seconds: float) -> dict[str, Any]:
    """Have another writer hold SQLite's lock for longer than anybody waits for it."""
    try:
        problem = locked_for(house, seconds) if seconds else None
    except AssertionError as error:
        problem = str(error) or "broken"
    finally:
        house.end()
    return {"locked": seconds, "locked_problem": problem}


def _sum(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _figures(world: World, tally: Tally) -> dict[str, Any]:
    ledger = world.ledger.read_text(encoding="utf-8").splitlines()
    deaths = tally.deaths
    return {
        "kills": tally.kills,
        "verbs": tally.verbs,
        "swept": [death.swept_after(tally.lives) for death in deaths],
        "rescued": [death.rescued_after(tally.lives) for death in deaths],
        "clock": [death.on_the_clock() for death in deaths],
        "slowness": [slowness(death.at, death.rescued) for death in deaths if death.rescued],
        "ledger": Counter(line.split()[0] for line in ledger),
    }


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "nothing was killed"
    ordered = sorted(seconds)
    usual, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return f"median {usual:.2f} s, 95 % {most:.2f} s, longest {ordered[-1]:.2f} s"


def _as_text(found: dict[str, Any], options: argparse.Namespace) -> str:
    rows = [
        ("kill -9", f"{sum(found['kills'].values())} ({_counts(found['kills'])})"),
        ("jobs", f"{sum(found['jobs'].values())} ({_counts(found['jobs'])})"),
        ("attempts", f"{sum(found['attempts'].values())} ({_counts(found['attempts'])})"),
        ("meanwhile", f"people did: {_counts(found['verbs'])}; transactions: {_counts(found['ledger'])}"),
        *((law.replace("_", " "), _verdict(broken)) for law, broken in found["broken"].items()),
        ("processes of a killed launcher are gone after", f"{_spread(found['swept'])} (promised: 5 s)"),
        ("its jobs are given back after", f"{_spread(found['rescued'])} (promised: 15 s)"),
        ("the longer of the two, by the clock on the wall", _spread(found["clock"])),
        (
            "the machine was slower than a free one by",
            f"{_middle(found['slowness']):.2f} (median while these were waited for, taken off)",
        ),
        ("cancels with stubborn children", f"{found['cancels']} trials, {len(found['survivors'])} survivors"),
        ("SQLite locked by another writer", _locked(found)),
    ]
    head = (
        f"Run on {dt.datetime.now(dt.UTC):%Y-%m-%d} with seed {options.seed} in {found['seconds']:.0f} s,"
        f" {options.houses} houses at once, `RUNNER_JOBS_PER_PROCESS={options.jobs_per_process}`,"
        f" on {_machine(found['load'])}.\n"
    )
    return "\n".join(
        [head, "| what | result |", "|---|---|", *(f"| {name} | {said} |" for name, said in rows)]
    )


def _locked(found: dict[str, Any]) -> str:
    if not found["locked"]:
        return "not tried"
    return found["locked_problem"] or f"for {found['locked']:g} s: said once, nothing lost, went on by itself"


def _middle(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2] if numbers else 1.0


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def _verdict(broken: list[str]) -> str:
    return f"**broken {len(broken)} times**, first: {broken[0]}" if broken else "held, 0 exceptions"


def _machine(load: float) -> str:
    cores = os.cpu_count()
    python = platform.python_version()
    return (
        f"{platform.system()} {platform.release()}, {cores} cores (load up to {load:.1f}), Python {python},"
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
    parser.add_argument("--houses", type=int, default=2, help="how many applications, beside each other")
    parser.add_argument("--locked", type=float, default=35.0, help="seconds for which SQLite is locked")
    parser.add_argument("--pause", type=float, default=0.6, help="seconds between kills, on average")
    parser.add_argument("--cancels", type=int, default=200, help="trials of cancelling stubborn jobs")
    parser.add_argument("--jobs-per-process", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="do not write docs/reliability.md")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
