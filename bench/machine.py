"""What the bench ran on: the machine, its load, and the versions of everything."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from bench.stage import Stage

PACKAGES: Final = (
    "SQLAlchemy", "Flask", "rq", "celery", "dramatiq", "huey", "procrastinate", "redis", "psycopg",
)  # fmt: skip


def describe(folder: Path) -> dict[str, str]:
    """Describe the machine as it is when the run begins."""
    return {
        "measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{psutil.virtual_memory().total / (1 << 30):.0f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "disk": _disk(folder),
        "load when it began": load(),
    }


def load() -> str:
    """Give how busy the machine is with everything, over 1, 5 and 15 minutes."""
    return ", ".join(f"{each:.1f}" for each in os.getloadavg())


def versions(stage: Stage) -> dict[str, str]:
    """Name what was measured."""
    found = {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    if "redis" in stage.servers:
        from redis import Redis  # type: ignore[import-not-found,unused-ignore]

        found["Redis server"] = str(Redis(port=stage.servers["redis"].port).info()["redis_version"])
    if "postgres" in stage.servers:
        import psycopg

        port = stage.servers["postgres"].port
        with psycopg.connect(f"postgresql://bench@127.0.0.1:{port}/postgres") as connection:
            row = connection.execute("SHOW server_version").fetchone()
            found["PostgreSQL"] = str(row[0]).split()[0] if row else "?"
    return found


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, timeout=10, check=False
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _disk(folder: Path) -> str:
    """Name the file system that SQLite's files are on: what its fsync costs decides single commits."""
    mounts = [each for each in psutil.disk_partitions(all=True) if folder.is_relative_to(each.mountpoint)]
    deepest = max(mounts, key=lambda each: len(each.mountpoint), default=None)
    return deepest.fstype if deepest else "unknown"
