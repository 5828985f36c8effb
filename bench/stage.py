"""Where systems are put to the test: their servers, empty queues, workers, and what they leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from bench.servers import Missing, Server, start_postgres, start_redis
from bench.stamp import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.systems import System

TOP: Final = Path(__file__).resolve().parent.parent
CACHE: Final = TOP / ".cache" / "bench"
PATIENCE_SECONDS: Final = 180.0
STOP_SECONDS: Final = 5.0
STARTERS: Final = {"redis": start_redis, "postgres": start_postgres}


class Stuck(Exception):
    """A system did not do in time what it was to do."""


class Stage:
    """Servers that are started when first needed, and one folder that each run begins with empty."""

    def __init__(self) -> None:
        self.folder = CACHE / "work"
        self.servers: dict[str, Server] = {}
        self.missing: dict[str, str] = {}
        self.started: list[subprocess.Popen[bytes]] = []

    def has(self, system: System) -> bool:
        """Start what the system needs; False if that cannot be had."""
        need = system.needs
        if not need or need in self.servers:
            return True
        if need not in self.missing:
            try:
                self.servers[need] = STARTERS[need](CACHE)
            except (Missing, OSError, subprocess.SubprocessError) as error:
                self.missing[need] = str(error)
                print(f"skipped, what needs {need}: {error}", flush=True)
        return need in self.servers

    def close(self) -> None:
        """Stop every server."""
        for server in self.servers.values():
            server.stop()

    @property
    def stamps(self) -> Path:
        """The file that handlers write to."""
        return self.folder / "stamps"

    def environment(self, system: System) -> dict[str, str]:
        """Give what the system's processes need to know."""
        ports = {f"BENCH_{name.upper()}_PORT": str(each.port) for name, each in self.servers.items()}
        given = {
            "PYTHONPATH": str(TOP),
            "BENCH_STAMPS": str(self.stamps),
            "BENCH_FOLDER": str(self.folder),
            "FLASK_RUNNER_LOG_DIR": str(self.folder / "logs"),
            "FLASK_RUNNER_WAKE_DIR": str(self.folder),
            "FLASK_RUNNER_DATABASE_URL": self.database_url(system),
        }
        return dict(os.environ) | ports | given | dict(system.environment)

    def database_url(self, system: System) -> str:
        """Give the address of our database for this system."""
        if system.needs == "postgres":
            return f"postgresql+psycopg://bench@127.0.0.1:{self.servers['postgres'].port}/bench"
        return f"sqlite:///{self.folder / 'jobs.db'}"

    def reset(self, system: System) -> None:
        """Begin with nothing: no files, no keys, no tables."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if "redis" in self.servers:
            from redis import Redis  # type: ignore[import-not-found,unused-ignore]

            Redis(port=self.servers["redis"].port).flushall()
        if system.needs == "postgres":
            self._reset_postgres(system)

    def _reset_postgres(self, system: System) -> None:
        import psycopg

        address = f"postgresql://bench@127.0.0.1:{self.servers['postgres'].port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            connection.execute("CREATE DATABASE bench")
        if not system.is_ours:
            self.run(system, "procrastinate", f"--app={system.module}.app", "schema", "--apply")

    def run(self, system: System, *module: str) -> str:
        """Run a Python module to its end, in the system's environment."""
        done = subprocess.run(
            [sys.executable, "-m", *module],
            cwd=TOP, env=self.environment(system), capture_output=True, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Stuck(f"{system.name}: {' '.join(module)}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def produce(self, system: System, verb: str, count: int) -> Any:
        """Enqueue from a process of its own, and give what it measured."""
        said = self.run(system, "bench.produce", system.module, verb, str(count))
        return json.loads(said.rpartition("PRODUCED ")[2])

    @contextlib.contextmanager
    def working(self, system: System) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Have the system's workers run."""
        self.started = []
        with (self.folder / "workers.log").open("ab") as log:
            try:
                for command in system.workers:
                    process = subprocess.Popen(
                        command, cwd=TOP, env=self.environment(system), stdin=subprocess.DEVNULL,
                        stdout=log, stderr=log, start_new_session=True,
                    )  # fmt: skip
                    self.started.append(process)
                yield self.started
            finally:
                _stop(self.started, is_graceful=system.is_ours)

    def wait_for_stamps(self, system: System, count: int) -> list[int]:
        """Wait until so many handlers have run, and give when each did, in order."""
        wait_until(lambda: self.stamps.exists() and self.stamps.stat().st_size >= count * SIZE, self, system)
        data = self.stamps.read_bytes()
        return sorted(each for (each,) in struct.iter_unpack("=q", data[: len(data) // SIZE * SIZE]))

    def wait_for_commit(self, system: System) -> int:
        """Wait until our table says that all has ended; give when that could be read."""
        is_over = self._is_over_on_postgres if system.needs == "postgres" else self._is_over_on_sqlite
        wait_until(is_over, self, system)
        return time.monotonic_ns()

    def _is_over_on_sqlite(self) -> bool:
        with contextlib.closing(sqlite3.connect(self.folder / "jobs.db", timeout=30)) as connection:
            return connection.execute(_UNFINISHED).fetchone() is None

    def _is_over_on_postgres(self) -> bool:
        import psycopg

        port = self.servers["postgres"].port
        with psycopg.connect(f"postgresql://bench@127.0.0.1:{port}/bench") as connection:
            return connection.execute(_UNFINISHED).fetchone() is None


_UNFINISHED: Final = "SELECT 1 FROM background_jobs WHERE status IN ('pending', 'running') LIMIT 1"


def wait_until(condition: Callable[[], bool], stage: Stage, system: System) -> None:
    """Look again and again; raises `Stuck`, with the end of the workers' log, when it takes far too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        gone = [each for each in stage.started if each.poll() is not None]
        if gone or time.monotonic() > until:
            log = (stage.folder / "workers.log").read_text(errors="replace").strip()[-300:]
            what = "a worker ended by itself" if gone else f"not done in {PATIENCE_SECONDS:g} s"
            raise Stuck(f"{system.name}: {what}; its log ends: {log!r}")
        time.sleep(0.002)


def family(processes: Sequence[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    """Give the processes and all that descend from them."""
    found: list[psutil.Process] = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            found += [parent, *parent.children(recursive=True)]
    return found


def _stop(processes: Sequence[subprocess.Popen[bytes]], *, is_graceful: bool) -> None:
    """End them: ours as a person would, the others, who may take long over it, at once."""
    left = everyone = family(processes)
    if is_graceful:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(everyone, timeout=STOP_SECONDS)
    for each in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    for process in processes:
        process.wait(STOP_SECONDS)
