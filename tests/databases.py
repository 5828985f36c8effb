"""Scratch servers of PostgreSQL and MariaDB: made in a temporary folder, gone with who asked for them.

`python -m tests.databases KIND FOLDER` keeps one: it runs the server for as long as anybody has the
pipe in the folder open, so that nothing is left behind, however the tests ended. Workers of one test
run share a server; what they do not share is a database in it. Nothing here is safe for real data.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS: Final = 60.0
ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A database server: whose account runs it, how it is made and started, and where it answers."""

    name: str
    program: str
    account: str
    url: str
    first: str
    socket: str
    make: str
    run: str
    # Ends it in order, and quickly.
    stop: signal.Signals

    def command(self, line: str, folder: Path) -> list[str]:
        """Give a command line in words, with the program where Debian puts it."""
        program, *rest = (each.format(folder=folder) for each in line.split())
        return [_found(program) or program, *rest]

    def is_installed(self) -> bool:
        """Whether this machine has the server."""
        return _found(self.program) is not None


POSTGRESQL: Final = Kind(
    name="postgresql",
    program="postgres",
    account="postgres",
    url="postgresql+psycopg://runner@/{database}?host={folder}",
    first="postgres",
    socket=".s.PGSQL.5432",
    make="initdb -D {folder}/data -U runner -A trust -E UTF8 --no-locale -N",
    run="postgres -D {folder}/data -k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
    " -c synchronous_commit=off -c autovacuum=off",
    stop=signal.SIGINT,
)
MARIADB: Final = Kind(
    name="mariadb",
    program="mariadbd",
    account="mysql",
    url="mariadb+pymysql://root@localhost/{database}?unix_socket={folder}/socket",
    first="mysql",
    socket="socket",
    make="mariadb-install-db --no-defaults --datadir={folder}/data --skip-test-db --skip-name-resolve"
    " --auth-root-authentication-method=normal",
    run="mariadbd --no-defaults --datadir={folder}/data --socket={folder}/socket --pid-file={folder}/pid"
    " --skip-networking --skip-log-bin --innodb-flush-log-at-trx-commit=0"
    " --innodb-flush-method=O_DIRECT_NO_FSYNC --innodb-buffer-pool-size=256M",
    stop=signal.SIGTERM,
)
KINDS: Final = {kind.name: kind for kind in (POSTGRESQL, MARIADB)}


class Server:
    """One server in a folder of its own, which can be stopped and started again."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Make it; `start` starts it."""
        self.kind, self.folder = kind, folder
        self.process: subprocess.Popen[bytes] | None = None
        self._own()
        self._run(kind.make)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.kind.command(self.kind.run, self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self._account(),
                env=self._environment(),
            )
        until = time.monotonic() + START_SECONDS
        while not (self._listens() and answers(self.url(self.kind.first))):
            if self.process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "server.log").read_text()
                raise RuntimeError(f"{self.kind.name} did not start:\n{said}")
            time.sleep(0.05)

    def stop(self, number: signal.Signals | None = None) -> None:
        """Stop it, in order or by the signal given, and see it gone."""
        if self.process is not None:
            self.process.send_signal(number or self.kind.stop)
            self.process.wait(timeout=START_SECONDS)
            self.process = None

    def url(self, database: str) -> str:
        """Say where a database of it is."""
        return url(self.kind, self.folder, database)

    def _listens(self) -> bool:
        # A driver that is refused may leave its socket open.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / self.kind.socket)) == 0

    def _run(self, line: str) -> None:
        done = subprocess.run(
            self.kind.command(line, self.folder),
            cwd=self.folder,
            user=self._account(),
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{line} failed:\n{done.stdout}{done.stderr}")

    def _environment(self) -> dict[str, str]:
        """A MariaDB that starts deletes the temporary tables of all others that share its folder for them."""
        return dict(os.environ) | {"TMPDIR": str(self.folder)}

    def _account(self) -> str | None:
        """Neither server runs as root."""
        return self.kind.account if os.getuid() == 0 else None

    def _own(self) -> None:
        (self.folder / "data").mkdir()
        if (account := self._account()) is not None:
            owner = pwd.getpwnam(account)
            for each in (self.folder, self.folder / "data"):
                os.chown(each, owner.pw_uid, owner.pw_gid)
        (self.folder / "data").chmod(0o700)


def url(kind: Kind, folder: Path, database: str) -> str:
    """Say where a database of a server is."""
    return kind.url.format(folder=folder, database=database)


def answers(address: str) -> bool:
    """Whether a database can be reached."""
    engine = create_engine(address)
    try:
        with engine.connect():
            return True
    except DBAPIError:
        return False
    finally:
        engine.dispose()


@contextlib.contextmanager
def own_server(kind: Kind) -> Iterator[Server]:
    """Run a server that is nobody else's, for tests that stop it."""
    with tempfile.TemporaryDirectory(prefix=f"{kind.name}-") as name:
        Path(name).chmod(0o755)
        server = Server(kind, Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGKILL if kind is MARIADB else None)


@contextlib.contextmanager
def new_database(kind: Kind) -> Iterator[str]:
    """Give the URL of an empty database on the server that this test run shares."""
    folder = _shared(kind)
    with _using(kind, folder):
        name = f"jobs_{uuid.uuid4().hex[:12]}"
        engine = create_engine(url(kind, folder, kind.first), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}{_character_set(kind)}"))
        engine.dispose()
        yield url(kind, folder, name)


@contextlib.contextmanager
def _using(kind: Kind, folder: Path) -> Iterator[None]:
    """Hold the pipe of the shared server open, which keeps it running; start it if nobody has."""
    with _locked(folder):
        try:
            held = os.open(folder / "pipe", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            held = _started(kind, folder)
    try:
        yield
    finally:
        os.close(held)


def _started(kind: Kind, folder: Path) -> int:
    pipe = folder / "pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    # Opened both ways it can be opened before the keeper reads it.
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    with (folder / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.databases", kind.name, str(folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START_SECONDS
    while not (folder / "ready").exists():
        if keeper.poll() is not None or time.monotonic() > until:
            said = (folder / "keeper.log").read_text()
            keeper.kill()
            shutil.rmtree(folder)
            raise RuntimeError(f"{kind.name} did not start:\n{said}")
        time.sleep(0.05)
    # It outlives us if another worker still uses it: that is not ours to wait for.
    keeper.returncode = 0
    return held


def _shared(kind: Kind) -> Path:
    """Name the folder of the server that all workers of this test run share."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    return Path(tempfile.gettempdir()) / f"runner-{kind.name}-{os.getuid()}-{run[:12]}"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        while True:
            folder.mkdir(mode=0o755, exist_ok=True)
            file = stack.enter_context((folder / "lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_still(folder / "lock", file.fileno()):
                break
        yield


def _is_still(path: Path, number: int) -> bool:
    """Whether a file that was waited for has not been deleted meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


def keep(kind: Kind, folder: Path) -> None:
    """Run the server until nobody holds its pipe open any more; then take it all away."""
    reading = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    server_folder = folder / "server"
    server_folder.mkdir()
    (folder / kind.socket).symlink_to(server_folder / kind.socket)
    server = Server(kind, server_folder)
    server.start()
    (folder / "ready").touch()
    while _has_left(reading, None):
        with _locked(folder):
            # Somebody may just have come.
            if _has_left(reading, 0):
                server.stop(signal.SIGKILL if kind is MARIADB else signal.SIGQUIT)
                shutil.rmtree(folder)
                return


def _has_left(reading: int, seconds: float | None) -> bool:
    """Whether everybody who held the pipe has closed it; waits so long for that."""
    poll = select.poll()
    poll.register(reading, 0)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _character_set(kind: Kind) -> str:
    return " CHARACTER SET utf8mb4" if kind is MARIADB else ""


def _found(program: str) -> str | None:
    folders = [os.environ.get("PATH", os.defpath), "/usr/sbin"]
    folders += [str(each) for each in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(program, path=os.pathsep.join(folders))


if __name__ == "__main__":
    keep(KINDS[sys.argv[1]], Path(sys.argv[2]))
