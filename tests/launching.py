"""A Flask application of its own in a folder, driven by its commands: what acceptance tests launch."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.runner import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent
# Far above what is needed; a test that waits so long has failed.
PATIENCE_SECONDS = 30.0
AWAITING = "app.runner.exec (awaits a job)"

APPLICATION = """
from flask import Flask
from app.runner import Runner

application = Flask(__name__)
application.config["RUNNER_APPROVED"] = {"work.Work": METHODS}
application.config.from_prefixed_env()
Runner(application, guard=lambda: True)
"""

WORK = """
import os, signal, subprocess, sys, time
from app.runner import Abort, Retry, current_job

SLEEPER = "import os, signal, time; os.setsid(); signal.signal(15, signal.SIG_IGN); time.sleep(300)"


class Work:
    def noop(self, n: int = 0):
        return n

    def sleep(self, seconds: float):
        time.sleep(seconds)

    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def fail(self):
        raise ValueError("it does not work")

    def abort(self):
        raise Abort("there is no point")

    def retry_soon(self):
        if current_job.attempt < 3:
            raise Retry("not yet", delay=0)
        return current_job.attempt

    def talk(self, flag: str):
        print("first line")
        current_job.progress(1, 2, "half way")
        while not os.path.exists(flag):
            time.sleep(0.01)
        print("last line", file=sys.stderr)

    def flood(self):
        for _ in range(400):
            print("x" * 9_999)

    def stubborn(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", SLEEPER])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(300)
            os._exit(0)
        print("all started", flush=True)
        time.sleep(300)

    def leave_daemon(self):
        subprocess.Popen([sys.executable, "-c", SLEEPER])
        return "left"

    def niceness(self):
        return os.nice(0)

    def title(self):
        with open(f"/proc/{os.getpid()}/cmdline", "rb") as file:
            return file.read().replace(b"\\0", b" ").decode().strip()

    def burn(self):
        data = bytearray(60_000_000)
        end = time.process_time() + 0.2
        while time.process_time() < end:
            data[0] += 1
            data[0] = 0
        return len(data)
"""


class House:
    """One such application, its database, and whatever was launched for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        methods = re.findall(r"^    def (\w+)", WORK, re.MULTILINE)
        (folder / "house.py").write_text(APPLICATION.replace("METHODS", repr(methods)), encoding="utf-8")
        (folder / "work.py").write_text(WORK, encoding="utf-8")
        self.environment = dict(os.environ) | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
            "FLASK_APP": "house",
            "FLASK_RUNNER_GRACE_SECONDS": "0.5",
        }
        self.launched: list[subprocess.Popen[bytes]] = []

    def flask(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `flask jobs ...` to its end."""
        return self.python("-m", "flask", "jobs", *arguments, check=check)

    def python(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Python in the application's folder to its end."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def enqueue(self, method: str, *parameters: object, count: int = 1, **options: Any) -> list[int]:
        """Enqueue jobs in one transaction, through the public face."""
        given = json.dumps({"method": method, "parameters": parameters, "count": count, "options": options})
        script = (
            "import json, sys\n"
            "from house import application\n"
            "from app.runner import binding, run_background_job\n"
            "given = json.loads(sys.argv[1])\n"
            "with application.app_context(), binding.current().write() as session:\n"
            "    wanted = ('work.Work', given['method'], given['parameters'])\n"
            "    options = given['options'] | {'session': session}\n"
            "    print([run_background_job(*wanted, **options).id for _ in range(given['count'])])\n"
        )
        ids: list[int] = json.loads(self.python("-c", script, given).stdout)
        return ids

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a launcher that goes on until it is stopped, killed, or has nothing to do."""
        command = [sys.executable, "-m", "flask", "jobs", "work", *options]
        with (self.folder / "said").open("ab") as said:
            launcher = subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=said)
        self.launched.append(launcher)
        return launcher

    def said(self) -> list[str]:
        """Give the lines that launchers have written to their standard error."""
        return (self.folder / "said").read_text(encoding="utf-8").splitlines()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        connection = sqlite3.connect(self.folder / "instance" / "jobs.db", timeout=30)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def statuses(self) -> dict[str, int]:
        """Count jobs by status."""
        return dict(self.rows("SELECT status, count(*) FROM background_jobs GROUP BY status"))

    def job(self, job_id: int) -> dict[str, Any]:
        """Give one job's row."""
        return self._row("SELECT * FROM background_jobs WHERE id = ?", job_id)

    def attempt(self, job_id: int, number: int = 1) -> dict[str, Any]:
        """Give one attempt's row."""
        query = "SELECT * FROM background_job_attempts WHERE job_id = ? AND number = ?"
        return self._row(query, job_id, number)

    def log(self, job_id: int, number: int = 1) -> str:
        """Give what an attempt has printed so far."""
        path = self.folder / "logs" / "jobs" / f"{job_id // 1000:06d}" / f"{job_id}.{number}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def processes(self) -> list[int]:
        """Give every living process that descends from one of our launchers' warm parents."""
        ids = self.rows("SELECT DISTINCT launcher_id FROM background_job_attempts")
        found = [each for (launcher,) in ids if launcher for each in processes.marked(launcher)]
        return [each.pid for each in processes.living(found)]

    def at_work(self) -> list[int]:
        """Give those of them that belong to a job: no warm parent, and none that waits for a job."""
        return [pid for pid in self.processes() if not is_resting(pid)]

    def awaiting(self) -> list[int]:
        """Give the processes that wait for a job."""
        return [pid for pid in self.processes() if AWAITING in title(pid)]

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for launcher in self.launched:
            launcher.kill()
            launcher.wait()
        if (self.folder / "instance" / "jobs.db").exists():
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)

    def _row(self, query: str, *parameters: object) -> dict[str, Any]:
        connection = sqlite3.connect(self.folder / "instance" / "jobs.db", timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            return dict(connection.execute(query, parameters).fetchone())
        finally:
            connection.close()


def is_resting(pid: int) -> bool:
    """Whether this is a warm parent, or a process that waits for a job."""
    return any(name in title(pid) for name in ("app.runner.warm", AWAITING))


def title(pid: int) -> str:
    """Give what `ps` shows of a process; nothing if it is gone."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return command.replace(b"\0", b" ").decode().strip()


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a condition holds; fail when it does not within the bound."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        _pause()


def _pause() -> None:
    # A bounded look at a condition, not a wait for time to pass.
    signal.sigtimedwait([], 0.02)


def states(house: House, ids: Sequence[int]) -> set[str]:
    """Give the statuses that these jobs have."""
    return {house.job(job_id)["status"] for job_id in ids}
