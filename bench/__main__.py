"""Measure the runner beside its peers: `script/bench`, which makes the environment that this needs."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from typing import TYPE_CHECKING

from bench import machine, report
from bench.figures import FIGURES, QUICK, Sizes
from bench.results import Results, from_json
from bench.stage import CACHE, TOP, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENT = TOP / "docs" / "performance.md"
IMAGES = TOP / "docs" / "images"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; a full run also writes the page and its pictures."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if asked.redraw:
        write(from_json(json.loads((CACHE / "results.json").read_text(encoding="utf-8"))))
        return 0
    results = measure(asked.only or list(FIGURES), QUICK if asked.quick else Sizes())
    print(f"\n{report.summary(results)}")
    if asked.only or asked.quick:
        print("A part, or a quick run: docs/performance.md is left as it is.")
    else:
        (CACHE / "results.json").write_text(json.dumps(results.as_json(), indent=1), encoding="utf-8")
        write(results)
    return 0


def measure(names: Sequence[str], sizes: Sizes) -> Results:
    """Measure figures one after the other, and stop every server at the end."""
    stage = Stage()
    stage.folder.mkdir(parents=True, exist_ok=True)
    results = Results(machine=machine.describe(stage.folder), versions={}, is_quick=sizes == QUICK)
    began = time.monotonic()
    try:
        for name in names:
            figure = FIGURES[name](stage, sizes)
            figure.notes += [f"Left out, what needs {need}: {why}" for need, why in stage.missing.items()]
            results.figures.append(figure)
        results.versions = machine.versions(stage)
    finally:
        stage.close()
    results.machine["load when it ended"] = machine.load()
    results.machine["took"] = f"{time.monotonic() - began:.0f} s"
    return results


def write(results: Results) -> None:
    """Write the page and its pictures."""
    DOCUMENT.write_text(report.document(results), encoding="utf-8")
    IMAGES.mkdir(exist_ok=True)
    for name, picture in report.pictures(results).items():
        (IMAGES / name).write_text(picture, encoding="utf-8")
    print(f"written: {DOCUMENT.relative_to(TOP)} and its pictures")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: small, one round")
    parser.add_argument("--only", action="append", choices=list(FIGURES), help="one figure; may be repeated")
    parser.add_argument("--redraw", action="store_true", help="write the page again from the latest full run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
