"""Handlers as people write them, in real processes: late imports, copies of themselves, closed output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.launching import House

HANDLERS = """
import asyncio, os, signal, sys


class Late:
    def flask(self):
        from flask import current_app
        return current_app.name

    def application(self):
        from house import application
        from flask import current_app
        return current_app.name + " " + str(current_app._get_current_object() is application)

    def event_loop(self):
        async def look():
            from flask import current_app
            return current_app.name
        return asyncio.run(look())

    def enqueue(self):
        from app.runner import run_background_job
        return run_background_job("late.Late", "none").id

    def none(self):
        import json
        return "flask" in sys.modules

    def fork(self, child, parent):
        if os.fork() == 0:
            return self.come_back(child)
        os.wait()
        return self.come_back(parent)

    def come_back(self, how):
        if how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return how

    def close(self):
        print("said before")
        sys.stdout.close()
        sys.stderr.close()
        return "closed"

    def without_output(self):
        sys.stdout = sys.stderr = None
        return "none"
"""
METHODS = [line.split("(")[0].split()[-1] for line in HANDLERS.splitlines() if line.startswith("    def ")]


@pytest.fixture(autouse=True)
def handlers(house: House) -> None:
    """The handlers above, approved, in a module that imports nothing of Flask."""
    (house.folder / "late.py").write_text(HANDLERS, encoding="utf-8")
    house.environment["FLASK_RUNNER_APPROVED"] = json.dumps({"late.Late": METHODS})


def ended(house: House, *calls: tuple[str, list[str]]) -> list[tuple[str, str | None]]:
    """Run jobs to their end; give each one's status with its result."""
    script = (
        "import json, sys; from house import application; from app.runner import run_background_job\n"
        "with application.app_context():\n"
        "    for method, parameters in json.loads(sys.argv[1]):\n"
        "        run_background_job('late.Late', method, parameters, retries=0)\n"
    )
    house.python("-c", script, json.dumps(calls))
    house.flask("work", "--drain")
    return [(house.job(number)["status"], house.job(number)["result"]) for number in range(1, len(calls) + 1)]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_flask_imported_inside_of_the_handler_has_its_application(house: House, start: str) -> None:
    """Whoever uses Flask or enqueues, wherever it is imported, is inside of the application's context."""
    house.environment["FLASK_RUNNER_START_METHOD"] = start

    ends = ended(house, ("flask", []), ("application", []), ("event_loop", []), ("enqueue", []))

    results = ['"house"', '"house True"', '"house"', "5"]
    assert [("completed", result) for result in results] == ends


def test_a_handler_without_flask_loads_none(house: House) -> None:
    """Who does not use Flask does not pay for it."""
    assert [("completed", "false")] == ended(house, ("none", []))


def test_a_copy_that_comes_back_from_the_handler_is_not_the_attempt(house: House) -> None:
    """A handler that forks has one end: that of the process it was called in."""
    ends = ended(house, ("fork", ["child", "parent"]), ("fork", ["child", "dies"]))

    assert [("completed", '"parent"'), ("failed", None)] == ends


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_closing_its_output_is_no_failure(house: House, start: str) -> None:
    """A handler may close what it prints to: its process still ends in good order."""
    house.environment["FLASK_RUNNER_START_METHOD"] = start

    ends = ended(house, ("close", []), ("without_output", []))

    assert [("completed", '"closed"'), ("completed", '"none"')] == ends
    assert [0, 0] == [house.attempt(number)["exit_code"] for number in (1, 2)]
    assert "said before\n" == house.log(1)


def test_an_application_that_handlers_will_need_is_loaded_once(house: House) -> None:
    """Where a handler's module can enqueue, the application is there before its processes are forked."""
    handler = (
        "import os, sys\nfrom app.runner import run_background_job\n\n\n"
        "class Late:\n    def none(self):\n        return sys.modules['house'].LOADED_BY != os.getpid()\n"
    )
    (house.folder / "late.py").write_text(handler, encoding="utf-8")
    with (house.folder / "house.py").open("a", encoding="utf-8") as file:
        file.write("\nimport os\nLOADED_BY = os.getpid()\n")

    assert [("completed", "true")] == ended(house, ("none", []))
