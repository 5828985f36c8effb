"""Run all checks and tests, fastest first, and sum them up at the end.

Called by script/test, which has set the environment up. Every step runs, whatever the one before
came to: one run tells all there is to mend.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from script.steps import Result, Step, run

TOP: Final = Path(__file__).resolve().parent.parent
CHECKS: Final = (
    Step("format", "ruff format --check ."),
    Step("ruff", "ruff check ."),
    Step("floors", "lint-imports --no-logo"),
    Step("spelling", "codespell"),
    Step("templates", "djlint app/templates --profile jinja --lint --quiet"),
    Step("types", "mypy"),
)
# A browser has the machine to itself; the rest shares it, and waits for conditions rather than for time.
FLOORS: Final = (
    ("unit", ""),
    ("architecture", ""),
    ("integration", "-n 2"),
    ("contract", "-n 2"),
    ("acceptance", "-n 2"),
    ("stress", "-n 2"),
    ("browser", ""),
)
COVERAGE: Final = (
    Step("combine", "coverage combine --quiet"),
    Step("coverage", "coverage report --skip-covered", is_shown=True),
)
SERVERS: Final = {"PostgreSQL": "postgres", "MariaDB": "mariadbd"}
OPTIONS: Final = ("--quick", "--coverage")
COUNTED: Final = re.compile(r"(\d+) (passed|failed|skipped|error|xfailed|xpassed)")
COUNTS_AS: Final = {"error": "failed", "xfailed": "skipped", "xpassed": "passed"}


def main(arguments: list[str]) -> int:
    """Run the steps asked for; 0 only when all of them succeeded."""
    os.chdir(TOP)
    # The tools of .venv, whatever the caller's PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if arguments and arguments[0] not in OPTIONS:
        return run(Step("tests", "pytest", tuple(arguments), is_shown=True)).exit_code
    began = time.monotonic()
    results = [run(step) for step in steps(set(arguments))]
    sum_up(results, time.monotonic() - began)
    return 0 if all(result.is_good for result in results) else 1


def steps(options: set[str]) -> list[Step]:
    """List what is to run, and say what is left out and why."""
    is_measured = "--coverage" in options
    pytest = "coverage run -m pytest" if is_measured else "pytest"
    listed = [*CHECKS, *([Step("forget", "coverage erase")] if is_measured else [])]
    if "--quick" not in options:
        say_what_is_missing()
    for floor, how in FLOORS[:1] if "--quick" in options else FLOORS:
        if floor == "browser" and not shutil.which("chromium"):
            print("Chromium is missing and could not be installed: skipping the browser tests.", flush=True)
        elif any(Path("tests", floor).rglob("test_*.py")):
            listed.append(Step(floor, f"{pytest} tests/{floor} {how}".strip(), is_shown=True))
    return [*listed, *(COVERAGE if is_measured else ())]


def say_what_is_missing() -> None:
    """Name the database servers whose tests will be skipped."""
    folders = [os.environ["PATH"], "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    for name, program in SERVERS.items():
        if not shutil.which(program, path=os.pathsep.join(folders)):
            print(f"{name} is missing and could not be installed: skipping its tests.", flush=True)


def sum_up(results: list[Result], seconds: float) -> None:
    """Print a line for each step, then the tests in all."""
    print(f"\nAll steps, {seconds:.0f} s:")
    for result in results:
        word = "ok" if result.is_good else "FAILED"
        print(f"  {word:<7} {result.name:<13} {result.seconds:6.1f} s  {result.closing}".rstrip())
    total = counted(results)
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)


def counted(results: list[Result]) -> Counter[str]:
    """Add up the closing lines of pytest."""
    total: Counter[str] = Counter()
    for result in results:
        for number, word in COUNTED.findall(result.closing):
            total[COUNTS_AS.get(word, word)] += int(number)
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
