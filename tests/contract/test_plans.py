"""The laws of speed that a planner could break: a claim costs the same however many jobs there are."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from sqlalchemy import event, func, insert, select, text

from app.runner import binding, store
from app.runner.models import LANES, Job
from tests.contract.conftest import DATABASES, database, with_tables
from tests.runner_house import HOST, LAUNCHER, WORK, Bench, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine, Table

JOBS: Final = cast("Table", Job.__table__)
# Stored one by one, then doubled by the database itself.
FIRST: Final = 800
DOUBLINGS: Final = 7
SLOTS: Final = 20
# Within the ageing, which a bound on the rank would let through.
SOON: Final = dt.timedelta(minutes=5)


@pytest.fixture(scope="module", params=DATABASES)
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give a database with 102,400 jobs that are due, as many that soon will be, as many finished ones."""
    with database(request.param, tmp_path_factory) as url:
        engine = with_tables(url)
        with engine.begin() as connection:
            fill(connection)
        yield engine
        engine.dispose()


@pytest.fixture
def bench(
    crowded: Engine, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """Give the runner on the crowded database."""
    made = Bench(crowded, tmp_path_factory.mktemp("crowded"))
    monkeypatch.setattr(binding, "_resolve", lambda: made.bound)
    return made


def fill(connection: Connection) -> None:
    """Store a few jobs of each kind, and double them."""
    moment = now()
    common = {"class_name": WORK, "method": "handle", "parameters": "[]", "created_at": moment}
    rank = int(moment.timestamp() * 1_000_000)
    rows: list[dict[str, Any]] = [
        common
        | {"status": status, "priority": priority, "run_at": run_at, "finished_at": finished}
        # Those that are not due yet come before the others by their rank.
        | {"rank": rank + (2 - priority) * 1_000_000 + number}
        for number in range(FIRST)
        for status, priority, run_at, finished in (
            ("pending", 2, moment, None),
            ("pending", 3, moment + SOON, None),
            ("completed", 2, moment, moment),
        )
    ]
    connection.execute(insert(JOBS), rows)
    names = [each.name for each in JOBS.columns if each.name != "id"]
    for _ in range(DOUBLINGS):
        connection.execute(insert(JOBS).from_select(names, select(*(JOBS.c[name] for name in names))))


@pytest.mark.parametrize("is_analysed", [False, True], ids=["new", "analysed"])
@pytest.mark.parametrize("verb", ["claim", "is_anything_due"])
def test_a_claim_reads_what_it_takes_from_its_index(bench: Bench, verb: str, *, is_analysed: bool) -> None:
    """With a hundred thousand jobs due, and as many soon, a claim reads no more of a lane than it takes."""
    engine = bench.bound.engine
    if is_analysed:
        analyse(engine)

    statements = asked(bench, verb)

    assert statements
    for statement, values in statements:
        with engine.connect() as connection:
            PLANS[engine.dialect.name](connection, statement, values)


def test_the_line_is_as_long_as_it_says(bench: Bench) -> None:
    """The plans are asked of a table that no planner takes for small."""
    with bench.read() as session:
        counted = session.execute(select(JOBS.c.status, func.count()).group_by(JOBS.c.status)).all()

    many = FIRST * 2**DOUBLINGS
    assert {"pending": 2 * many, "completed": many} == dict(map(tuple, counted))


def asked(bench: Bench, verb: str) -> list[tuple[str, Any]]:
    """Give every question about jobs that a verb of the launcher asks."""
    found: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        if arguments[2].startswith("SELECT") and "FROM background_jobs" in arguments[2]:
            found.append(arguments[2:4])

    event.listen(bench.bound.engine, "before_cursor_execute", note)
    with bench.bound.read() as session:
        if verb == "claim":
            store.claim(session, LAUNCHER, HOST, SLOTS)
        else:
            store.is_anything_due(session)
        session.rollback()
    event.remove(bench.bound.engine, "before_cursor_execute", note)
    return found


def analyse(engine: Engine) -> None:
    """Have the database count its rows."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text("ANALYZE TABLE background_jobs" if engine.dialect.name == "mariadb" else "ANALYZE")
        )


def _sqlite(connection: Connection, statement: str, values: Any) -> None:
    plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    walks = "ix_background_jobs_claim (status=? AND is_held=? AND waits_for=? AND lane=? AND run_at<?)"
    assert len(LANES) == plan.count(walks), plan
    assert "SCAN background_jobs" not in plan
    # The few rows that a lane gives are sorted, and nothing before.
    sorts = re.findall(r"INTEGER PRIMARY KEY \(rowid=\?\)'\), \([\d, ]+'USE TEMP B-TREE FOR ORDER BY'", plan)
    assert len(sorts) == plan.count("USE TEMP B-TREE"), plan


def _postgresql(connection: Connection, statement: str, values: Any) -> None:
    plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", values).scalars())
    walks = re.findall(r"Index.* using ix_background_jobs_claim.*rows=(\d+)[.\d]* loops=1\)", plan)
    assert len(LANES) == len(walks), plan
    assert max(map(int, walks)) <= SLOTS, plan
    assert "Seq Scan on background_jobs" not in plan
    assert 1 == plan.count("Sort Key"), plan
    assert "Removed by Filter" not in plan


def _mariadb(connection: Connection, statement: str, values: Any) -> None:
    rows = connection.exec_driver_sql(f"ANALYZE {statement}", values).mappings().all()
    plans = [row for row in rows if row["table"] == "background_jobs"]
    walks = [plan for plan in plans if plan["key"] != "PRIMARY"]
    assert len(LANES) == len(walks), plans
    for plan in walks:
        assert "ix_background_jobs_claim" == plan["key"], plan
        assert "filesort" not in plan["Extra"], plan
    assert max(float(plan["r_rows"] or 0) for plan in plans) <= SLOTS, plans


PLANS: Final[dict[str, Callable[[Connection, str, Any], None]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mariadb": _mariadb,
}
