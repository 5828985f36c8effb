"""The application of five lines in examples/, with the runner and nothing else of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0
LOOK = """
import sys
from wsgi import application
client = application.test_client()
pages = [client.get("/background-jobs" + path) for path in ("", "/1", "/launchers", "/failures", "/1/logs")]
print(*(page.status_code for page in pages))
print("greetings.Greeting" in pages[0].text, "Hello, Ada" in pages[1].text)
static = [part.split('"')[0] for part in pages[0].text.split('href="')[1:] if ".css" in part.split('"')[0]]
print(len(static) > 0, *{client.get(address).status_code for address in static})
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("app.")}))
"""


class Example:
    """A copy of examples/ beside a copy of the runner; the rest of the project is out of reach."""

    def __init__(self, folder: Path) -> None:
        self.folder, library = folder / "greetings", folder / "library" / "app"
        shutil.copytree(
            TOP / "examples", self.folder, ignore=shutil.ignore_patterns("instance", "logs", "__*")
        )
        library.mkdir(parents=True)
        shutil.copy(TOP / "app" / "__init__.py", library)
        for part in ("runner", "templates/runner", "static"):
            shutil.copytree(TOP / "app" / part, library / part, ignore=shutil.ignore_patterns("__pycache__"))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        self.environment = inherited | {"PYTHONPATH": str(library.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        self.launcher: subprocess.Popen[bytes] | None = None

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the example's folder, to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def flask(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command as a person types it, and give its exit code and what it printed."""
        done = self.python("-m", "flask", *arguments)
        return done.returncode, done.stdout, done.stderr

    def launch(self) -> None:
        """Start `flask jobs work`, and wait until it is there."""
        command = [sys.executable, "-m", "flask", "jobs", "work"]
        self.launcher = subprocess.Popen(command, cwd=self.folder, env=self.environment)
        until = time.monotonic() + PATIENCE_SECONDS
        while not list((self.folder / "instance").glob("*.wake")):
            assert self.launcher.poll() is None, "the launcher has ended"
            assert time.monotonic() < until, "the launcher did not start"
            time.sleep(0.02)

    def end(self) -> None:
        """Stop the launcher, and see that it leaves in order."""
        if self.launcher is not None:
            self.launcher.terminate()
            assert 0 == self.launcher.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Give the example with its launcher running."""
    made = Example(tmp_path_factory.mktemp("example"))
    made.launch()
    yield made
    made.end()


def test_its_job_runs_beside_its_launcher(example: Example) -> None:
    """`flask jobs run ... --wait` beside `flask jobs work` comes back with 0 when the job has completed."""
    code, said, problems = example.flask(
        "jobs", "run", "greetings.Greeting", "handle", "-p", '["Ada"]', "--wait"
    )

    assert (0, "job 1 is enqueued\njob 1 completed\n", "") == (code, said, problems)
    assert (0, "Hello, Ada\n", "") == example.flask("jobs", "logs", "1")
    line = (example.folder / "logs" / "background_jobs.log").read_text()
    assert (
        'Job 1 completed: greetings.Greeting@handle {"parameters":"[\\"Ada\\"]","result":"Hello, Ada",'
        in line
    )


def test_its_dashboard_answers_without_anything_else_of_ours(example: Example) -> None:
    """The pages of the dashboard, and their style, come with the runner: no other package is there."""
    looked = example.python("-c", LOOK)

    assert "" == looked.stderr
    pages, shown, style, packages = looked.stdout.splitlines()
    assert ("200 200 200 200 200", "True True", "True 200") == (pages, shown, style)
    assert "runner" == packages


def test_it_refuses_what_it_did_not_approve(example: Example) -> None:
    """The five lines are safe: only what they approve runs."""
    assert (2, "", "Error: class: 'time.X' is not an approved class\n") == example.flask(
        "jobs", "run", "time.X", "sleep"
    )


def test_its_settings_are_checked(example: Example) -> None:
    """`flask jobs check` finds the handler, the database and the launcher in order."""
    code, said, _ = example.flask("jobs", "check")

    assert 0 == code
    assert "ok      handler greetings.Greeting@handle" in said
    assert "ok      1 live launcher" in said
