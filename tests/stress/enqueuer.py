"""A process that enqueues, as a web process would: in transactions of the host's, some rolled back.

It writes into a ledger what it is about to do and what has been acknowledged; the chaos kills it
at any point, in the middle of a transaction too. `python -m tests.stress.enqueuer FIRST LAST SEED NAME`
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from app.runner import binding, groups, run_background_job
from tests.stress.handlers import CLASS

if TYPE_CHECKING:
    from app.runner.models import Job

BATCH: Final = 8
# How often of a hundred transactions one is rolled back.
ROLLED_BACK: Final = 20
# How many of a hundred jobs wait for the one before them.
DEPENDENT: Final = 15
IN_TRANSACTION_SECONDS: Final = 0.005
# What hides from everybody is found by its control group: where there are such.
_CAN_ESCAPE: Final = "STRESS_WITHOUT_GROUPS" not in os.environ and groups.is_usable()
# Jobs of this length come with a shorter timeout.
TOO_LONG_SECONDS: Final = 30.0


class RolledBackOnPurpose(Exception):
    """The host's transaction fails, after it has enqueued."""


def main() -> None:
    """Enqueue the requests FIRST to LAST; all that is said is said in the ledger."""
    first, last, seed, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    enqueuer, pause = Enqueuer(os.environ["STRESS_LEDGER"]), float(os.environ["STRESS_PAUSE"])
    application = import_module("house").application
    with application.app_context():
        for start in range(first, last, BATCH):
            numbers = range(start, min(start + BATCH, last))
            chance = random.Random(f"{seed} {start}")  # noqa: S311 - to be had again, no secret
            enqueuer.enqueue(f"{name}-{start}", numbers, chance)
            # Jobs come over the whole of the run, not in one heap at its beginning.
            time.sleep(pause)


class Enqueuer:
    """Says what it is about to do, does it, and says that it is done."""

    def __init__(self, ledger: str) -> None:
        self.ledger = ledger

    def enqueue(self, name: str, numbers: range, chance: random.Random) -> None:
        """Enqueue some requests in one transaction; at times after another one that is rolled back."""
        if chance.randrange(100) < ROLLED_BACK:
            tags = [f"{name}-{number}-undone" for number in numbers]
            self._note(f"rolled {name}-undone {' '.join(tags)}")
            with contextlib.suppress(RolledBackOnPurpose):
                self._write(tags, chance, is_rolled_back=True)
        tags = [f"{name}-{number}" for number in numbers]
        self._note(f"writing {name} {' '.join(tags)}")
        self._write(tags, chance)
        self._note(f"committed {name}")

    def _write(self, tags: list[str], chance: random.Random, *, is_rolled_back: bool = False) -> None:
        with binding.current().write() as session:
            before: Job | None = None
            for tag in tags:
                method, parameters, options = kind(tag, chance)
                if before is not None and chance.randrange(100) < DEPENDENT:
                    options |= {"after": [before], "after_failed": chance.choice(["cancel", "run"])}
                before = run_background_job(CLASS, method, parameters, session=session, **options)
            # The moment at which a kill is meant to come: everything is written and nothing committed.
            time.sleep(IN_TRANSACTION_SECONDS)
            if is_rolled_back:
                raise RolledBackOnPurpose

    def _note(self, line: str) -> None:
        descriptor = os.open(self.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


def kind(tag: str, chance: random.Random) -> tuple[str, list[Any], dict[str, Any]]:
    """Draw a kind of job: method, parameters, options."""
    draw, priority = chance.randrange(100), {"priority": chance.choice([1, 2, 3])}
    if draw < 40:
        return "noop", [tag], priority
    if draw < 64:
        return "sleep", [tag, round(chance.uniform(0.05, 0.4), 3)], priority
    if draw < 72:
        return "fail", [tag], priority
    if draw < 82:
        return "retried", [tag, 1], {"retries": 4, "priority": 2}
    if draw < 92:
        return "noop", [tag], priority | {"delay": round(chance.uniform(0.2, 2.0), 3)}
    if draw < 94:
        return "die", [tag], priority
    if draw < 97:
        return "sleep", [tag, TOO_LONG_SECONDS], {"timeout": 0.3, "retries": 0, "priority": 2}
    return ("escape" if draw == 99 and _CAN_ESCAPE else "stubborn"), [tag, 0.5], priority


if __name__ == "__main__":
    main()
