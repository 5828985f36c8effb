"""Databases that fail under a launcher that works: it says so once, loses nothing, and goes on by itself."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from app.runner.database import configure
from tests.databases import KINDS, Server, own_server
from tests.launching import House, until

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = 60
SAID = "The database refused"
AGAIN = "The database answers again"
WAITS = "the database does not answer, trying again until it does"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with SQLite."""
    made = House(tmp_path)
    yield made
    made.end()


class ServedHouse(House):
    """The same on a server."""

    engine: Engine

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the server, however often it has to be asked."""
        assert not parameters
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def end(self) -> None:
        """Leave no launcher behind; its warm parent follows."""
        for launcher in self.launched:
            launcher.kill()
            launcher.wait()
        self.engine.dispose()


@pytest.fixture(params=sorted(KINDS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give a server of our own, to be stopped at will."""
    kind = KINDS[request.param]
    if not kind.is_installed():
        pytest.skip(f"{kind.program} is not installed")
    with own_server(kind) as made:
        yield made


@pytest.fixture
def served(tmp_path: Path, server: Server) -> Iterator[ServedHouse]:
    """Give an application on that server."""
    admin = create_engine(server.url(server.kind.first), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE jobs"))
    admin.dispose()
    made = ServedHouse(tmp_path)
    made.environment["FLASK_RUNNER_DATABASE_URL"] = server.url("jobs")
    made.engine = create_engine(server.url("jobs"), pool_pre_ping=True)
    yield made
    made.end()


def said(house: House) -> list[str]:
    """Give what the launcher wrote of its troubles."""
    path = house.folder / "logs" / "background_jobs_errors.log"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def trouble(house: House) -> tuple[int, int]:
    """Count the lines that say the database refused, and that it answers again."""
    lines = said(house)
    return sum(SAID in line for line in lines), sum(AGAIN in line for line in lines)


def completed(house: House) -> int:
    """Count jobs that completed."""
    found: int = house.rows("SELECT count(*) FROM background_jobs WHERE status = 'completed'")[0][0]
    return found


def all_once(house: House, jobs: int) -> None:
    """Every job completed, and no attempt more than needed was believed."""
    until(lambda: completed(house) == jobs, f"{jobs} jobs completed; it said {said(house)[-3:]}")
    query = "SELECT count(*) FROM background_job_attempts WHERE outcome = 'completed'"
    assert [(jobs,)] == house.rows(query)
    query = "SELECT count(*) FROM background_job_attempts WHERE outcome = 'running'"
    assert [(0,)] == house.rows(query)


def test_a_server_that_restarts_under_load(served: ServedHouse, server: Server) -> None:
    """While it is away jobs run on, what they came to is written when it is back, none runs twice."""
    served.enqueue("sleep", 0.05, count=JOBS)
    launcher = served.launch("--slots", "2")
    until(lambda: completed(served) >= 5, "some jobs done")

    server.stop(signal.SIGKILL if server.kind.name == "mariadb" else None)
    until(lambda: trouble(served)[0] == 1, "the launcher says that the database is away")
    server.start()

    all_once(served, JOBS)
    until(lambda: trouble(served)[1] == 1, "the launcher says that the database is back")
    assert (1, 1) == trouble(served)
    assert launcher.poll() is None


def test_a_server_that_is_down_when_a_launcher_starts(served: ServedHouse, server: Server) -> None:
    """It is waited for, which is said in one line; who drains does not wait."""
    served.enqueue("noop")
    served.engine.dispose()
    server.stop()
    assert 1 == served.flask("work", "--drain", check=False).returncode

    launcher = served.launch()
    until(lambda: WAITS in str(served.said()), "the launcher says what it waits for")
    server.start()

    all_once(served, 1)
    assert launcher.poll() is None
    assert 1 == len(served.said()), served.said()


def test_a_database_that_is_not_there_is_not_waited_for(served: ServedHouse, server: Server) -> None:
    """A name that is misspelt ends the launcher at once, in one line."""
    served.environment["FLASK_RUNNER_DATABASE_URL"] = server.url("absent")

    done = served.flask("work", check=False)

    assert 1 == done.returncode
    assert done.stderr.startswith("Error: the database cannot be used: ")
    assert "absent" in done.stderr


def test_connections_that_are_cut_under_load(served: ServedHouse) -> None:
    """Every connection is cut, again and again; the launcher makes new ones and loses nothing."""
    served.enqueue("sleep", 0.02, count=JOBS)
    launcher = served.launch("--slots", "2")

    for done in (5, 20, 35):
        reached(served, done)
        cut(served)

    all_once(served, JOBS)
    assert launcher.poll() is None


def reached(house: House, jobs: int) -> None:
    """Wait until so many jobs have completed."""
    until(lambda: completed(house) >= jobs, f"{jobs} jobs done")


def cut(house: ServedHouse) -> None:
    """Cut every connection but our own."""
    if house.engine.dialect.name == "postgresql":
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        house.rows(f"{others} WHERE pid <> pg_backend_pid() AND datname = 'jobs'")
        return
    query = "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = 'jobs'"
    with house.engine.connect() as connection:
        for number in connection.execute(text(query)).scalars().all():
            connection.execute(text(f"KILL {number}"))


def file_of(house: House) -> Path:
    """Name the SQLite file."""
    return house.folder / "instance" / "jobs.db"


def test_another_writer_holds_the_lock(house: House) -> None:
    """As long as somebody else writes, the launcher waits; jobs run on, and their ends are written after."""
    house.enqueue("sleep", 0.02, count=JOBS)
    house.launch("--slots", "2")
    until(lambda: completed(house) >= 5, "some jobs done")

    with writing(house):
        held = completed(house)
        signal.sigtimedwait([], 1.0)
        assert held == completed(house)

    all_once(house, JOBS)
    assert (0, 0) == trouble(house)


def test_another_writer_holds_the_lock_for_longer_than_is_waited(house: House) -> None:
    """Then it is said once, with the file's name, and all goes on when the other one has done."""
    application = house.folder / "house.py"
    shorter = "from app.runner import database\ndatabase.BUSY_SECONDS = 1\n"
    application.write_text(shorter + application.read_text(encoding="utf-8"), encoding="utf-8")

    assert locked_for(house, 3.5) is None


def locked_for(house: House, seconds: float) -> str | None:
    """Hold SQLite's lock under a launcher at work; give what is wrong with what it says of that."""
    house.enqueue("sleep", 0.02, count=JOBS)
    launcher = house.launch("--slots", "2")
    until(lambda: completed(house) >= 5, "some jobs done")

    with writing(house):
        signal.sigtimedwait([], seconds)

    all_once(house, JOBS)
    until(lambda: trouble(house)[1] == 1, "the launcher says that the database answers")
    assert launcher.poll() is None
    lines = [line for line in said(house) if SAID in line]
    is_clear = len(lines) == 1 and "database is locked" in lines[0] and "jobs.db" in lines[0]
    return None if is_clear else f"it said {lines}"


@contextmanager
def writing(house: House) -> Iterator[None]:
    """Hold the write lock."""
    connection = sqlite3.connect(file_of(house), timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Ends that find no room are kept and written when there is some again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no small disk can be made here")
    house = House(tmp_path)
    house.environment["FLASK_RUNNER_DATABASE_URL"] = f"sqlite:///{disk / 'jobs.db'}"
    (house.folder / "instance").mkdir()
    (house.folder / "instance" / "jobs.db").symlink_to(disk / "jobs.db")
    try:
        house.enqueue("sleep", 0.02, count=JOBS)
        house.launch("--slots", "2")
        until(lambda: completed(house) >= 5, "some jobs done")
        fill(disk / "ballast")
        until(lambda: trouble(house)[0] == 1, "the launcher says that the disk is full")
        (disk / "ballast").unlink()
        all_once(house, JOBS)
        assert any("full" in line and str(disk) in line for line in said(house))
    finally:
        house.end()
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_file_that_cannot_be_written(house: House) -> None:
    """The launcher says which file, loses nothing, and goes on when it can be written again."""
    house.enqueue("sleep", 0.02, count=JOBS)
    launcher = house.launch("--slots", "2")
    until(lambda: completed(house) >= 5, "some jobs done")
    # Not what SQLite has mapped into memory: who writes there without leave is killed by the system.
    with unwritable(file_of(house), Path(f"{file_of(house)}-wal")):
        until(lambda: trouble(house)[0] == 1, "the launcher says that it cannot write")
        held = completed(house)
        refused = house.flask("run", "work.Work", "noop", check=False)
        assert held == completed(house)

    all_once(house, JOBS)
    until(lambda: trouble(house)[1] == 1, "the launcher says that the database answers")
    assert launcher.poll() is None
    assert f"{file_of(house)} cannot be written by this account" in said(house)[0]
    assert refused.stderr.endswith(f": {file_of(house)} cannot be written by this account\n")


def test_a_folder_that_cannot_be_written(house: House) -> None:
    """A launcher that is started there says which folder and leaves; the next one has lost nothing."""
    house.enqueue("noop", 1)
    folder = file_of(house).parent

    with unwritable(folder):
        refused = house.flask("work", "--drain", check=False)

    assert 1 == refused.returncode
    assert f"the folder {folder} cannot be written by this account" in refused.stderr
    assert 1 == len(refused.stderr.splitlines())
    house.flask("work", "--drain")
    all_once(house, 1)


@contextmanager
def unwritable(*paths: Path) -> Iterator[None]:
    """Keep everybody from writing, root too, to whom permissions mean nothing."""
    if subprocess.run(["chattr", "+i", *paths], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be made immutable here: that takes root, and a file system that knows it")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *paths], check=True)


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return


def test_a_file_that_is_replaced(house: House) -> None:
    """A backup moved into place is the database from then on, for launchers that run already."""
    house.enqueue("noop", 1)
    launcher = house.launch("--slots", "2")
    until(lambda: completed(house) == 1, "the first job done")
    copy = house.folder / "copy.db"
    house.rows(f"VACUUM INTO '{copy}'")
    with sqlite3.connect(copy) as connection:
        connection.execute("DELETE FROM background_job_launchers")
    connection.close()

    for ending in ("-wal", "-shm"):
        Path(f"{file_of(house)}{ending}").unlink(missing_ok=True)
    shutil.move(copy, file_of(house))
    house.enqueue("noop", 2)

    all_once(house, 2)
    assert launcher.poll() is None


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """While a backup is being restored nobody puts an empty database in its way; then all goes on."""
    engine = create_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    configure(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (n INTEGER)"))
    shutil.move(tmp_path / "jobs.db", tmp_path / "away.db")

    for _ in range(2):
        with pytest.raises(OperationalError, match="is gone"):
            engine.connect()
        engine.dispose()
    assert not (tmp_path / "jobs.db").exists()

    shutil.move(tmp_path / "away.db", tmp_path / "jobs.db")
    with engine.connect() as connection:
        assert 0 == connection.execute(text("SELECT count(*) FROM kept")).scalar_one()
    engine.dispose()


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
@pytest.mark.parametrize("where", ["127.0.0.1:1", "no-such-host.invalid:5000"])
def test_a_server_that_cannot_be_reached_at_the_start(house: House, driver: str, where: str) -> None:
    """Nobody listens, or nobody has that name: a launcher says so in a line, with the place, and leaves."""
    house.environment["FLASK_RUNNER_DATABASE_URL"] = f"{driver}://somebody:secret@{where}/jobs"

    refused = house.flask("work", "--drain", check=False)

    assert 1 == refused.returncode
    assert 1 == len(refused.stderr.splitlines())
    assert where.partition(":")[0] in refused.stderr
    assert "secret" not in refused.stderr
