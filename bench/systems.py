"""What is measured: each system, how its workers are started, and the settings it is given."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

from app.runner.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


def _python(line: str) -> tuple[str, ...]:
    """Give the command that runs a module of this environment."""
    return (sys.executable, "-m", *line.split())


HAS_REUSE: Final = any(each.name == "jobs_per_process" for each in fields(Settings))


@dataclass(frozen=True, kw_only=True)
class System:
    """One system in one configuration."""

    name: str
    module: str
    # Each is one command; most start the second process by themselves.
    workers: tuple[tuple[str, ...], ...]
    needs: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    # How it is told to be fast, for the report.
    settings: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is this repository's runner."""
        return self.module == "bench.apps.on_ours"


def _ours(name: str, *, needs: str = "", reuse: bool = False) -> System:
    settings = {"RUNNER_SLOTS": "2", "RUNNER_START_METHOD": "fork"}
    if reuse:
        settings["RUNNER_JOBS_PER_PROCESS"] = "1000"
    database = "PostgreSQL" if needs == "postgres" else "SQLite (WAL, `synchronous=FULL`)"
    return System(
        name=name,
        module="bench.apps.on_ours",
        workers=(_python("flask --app bench.apps.on_ours jobs work --slots 2"),),
        needs=needs,
        environment={f"FLASK_{name}": value for name, value in settings.items()},
        settings=", ".join(f"`{name}={value}`" for name, value in settings.items()) + f", {database}",
    )


def _huey(name: str, storage: str, options: str = "") -> System:
    command = f"-w 2 -k process -n -q {options}".strip()
    return System(
        name=name,
        module="bench.apps.on_huey",
        workers=(_python(f"huey.bin.huey_consumer bench.apps.on_huey.huey {command}"),),
        needs="redis" if storage == "redis" else "",
        environment={"BENCH_HUEY": storage},
        settings=f"`{command}`, `results=False`" + (", `fsync=True`" if storage == "fsync" else ""),
    )


OURS_FORK: Final = _ours("ours, a fresh process per job")
OURS_REUSED: Final = _ours("ours, reused processes", reuse=True)
OURS_POSTGRES_FORK: Final = _ours("ours on PostgreSQL, a fresh process per job", needs="postgres")
OURS_POSTGRES: Final = _ours("ours on PostgreSQL, reused processes", needs="postgres", reuse=True)

RQ: Final = System(
    name="RQ, two workers",
    module="bench.apps.on_rq",
    workers=(_python("bench.apps.on_rq"),) * 2,
    needs="redis",
    settings="two workers that import the handler before they fork, `result_ttl=0`, no log of jobs",
)
_CELERY: Final = "-P prefork -c 2 -l ERROR --without-gossip --without-mingle --without-heartbeat"
CELERY: Final = System(
    name="Celery",
    module="bench.apps.on_celery",
    workers=(_python(f"celery -A bench.apps.on_celery worker {_CELERY}"),),
    needs="redis",
    settings=f"`{_CELERY}`, results ignored, prefetch 64, rate limits off",
)
DRAMATIQ: Final = System(
    name="Dramatiq",
    module="bench.apps.on_dramatiq",
    workers=(_python("dramatiq bench.apps.on_dramatiq -p 2 -t 1"),),
    needs="redis",
    environment={"dramatiq_queue_prefetch": "100"},
    settings="`-p 2 -t 1`, `dramatiq_queue_prefetch=100`",
)
HUEY_REDIS: Final = _huey("Huey, Redis", "redis")
HUEY_SQLITE: Final = _huey("Huey, SQLite without fsync", "sqlite", "-d 0.01 -m 0.02")
HUEY_FSYNC: Final = _huey("Huey, SQLite with fsync", "fsync", "-d 0.01 -m 0.02")
_PROCRASTINATE: Final = "procrastinate --app=bench.apps.on_procrastinate.app worker -q bench --concurrency 10"
PROCRASTINATE: Final = System(
    name="Procrastinate",
    module="bench.apps.on_procrastinate",
    workers=(_python(_PROCRASTINATE),) * 2,
    needs="postgres",
    settings="two workers, `--concurrency 10` (the handler is a coroutine), LISTEN/NOTIFY",
)

POOLS: Final = (CELERY, DRAMATIQ, HUEY_REDIS, HUEY_SQLITE, HUEY_FSYNC, PROCRASTINATE)
