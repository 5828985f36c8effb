"""Redis and PostgreSQL on ports of their own, and gone with the bench.

What the machine has is used; what it lacks is fetched from Debian's archive and unpacked under
.cache/bench, so that nothing is installed and nobody's server is touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

READY_SECONDS: Final = 30.0
PACKAGES: Final = {"redis-server": "redis-server", "initdb": "postgresql"}


class Missing(Exception):
    """A server is not to be had on this machine; the message says why."""


class Server:
    """A server process, its port and its folder."""

    def __init__(self, command: list[str], port: int, folder: Path, *, user: str | None = None) -> None:
        self.port, self.folder = port, folder
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            user=user,
            start_new_session=True,
            env=_environment(command[0]),
        )
        until = time.monotonic() + READY_SECONDS
        while not _answers(port):
            if time.monotonic() > until or self._process.poll() is not None:
                self.stop()
                raise Missing(f"{command[0]} did not start")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The server's own process."""
        return self._process.pid

    def stop(self) -> None:
        """End it and delete what it stored."""
        self._process.send_signal(2)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_redis(cache: Path) -> Server:
    """Start a Redis that keeps nothing on disk, the fastest it can be."""
    program = _program("redis-server", cache)
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="bench-redis-", dir="/var/tmp"))
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    return Server([program, *options, "--dir", str(folder)], port, folder)


def start_postgres(cache: Path) -> Server:
    """Start a PostgreSQL with its defaults, which wait for the disk at every commit."""
    initdb = _program("initdb", cache)
    folder = Path(tempfile.mkdtemp(prefix="bench-postgres-", dir="/var/tmp"))
    user = _ordinary_user() if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()
    made = subprocess.run(
        [initdb, "-D", str(data), "-U", "bench", "--auth=trust", "-E", "UTF8"],
        user=user, cwd=folder, capture_output=True, timeout=60, check=False, env=_environment(initdb),
    )  # fmt: skip
    if made.returncode:
        raise Missing(f"initdb failed: {made.stderr.decode(errors='replace').strip()[-200:]}")
    options = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
    program = str(Path(initdb).with_name("postgres"))
    return Server([program, "-D", str(data), *options], port, folder, user=user)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _ordinary_user() -> str:
    """PostgreSQL refuses to run as root."""
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _program(name: str, cache: Path) -> str:
    """Find a server's program on the machine, or fetch it."""
    if found := _found(name, cache):
        return found
    if not shutil.which("apt-get"):
        raise Missing(f"{name} is not installed, and there is no apt-get to fetch it")
    _fetch(PACKAGES[name], cache)
    if found := _found(name, cache):
        return found
    raise Missing(f"{name} is not installed and could not be fetched from Debian's archive")


def _found(name: str, cache: Path) -> str | None:
    # The folder, not a link: postgres finds its library from where it lies.
    for root in (Path("/"), cache / "root"):
        for program in sorted(root.glob(f"usr/lib/postgresql/*/bin/{name}"), reverse=True):
            return str(program)
    unpacked = str(cache / "root" / "usr" / "bin")
    return shutil.which(name) or shutil.which(name, path=unpacked)


def _fetch(package: str, cache: Path) -> None:
    archives = cache / "debs"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"]
    install = ["install", "-qq", "-y", "--download-only", "--no-install-recommends", package]
    subprocess.run(["apt-get", *options, *install], capture_output=True, timeout=300, check=False)
    for archive in archives.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(archive), str(cache / "root")], timeout=60, check=False)


def _environment(program: str) -> dict[str, str]:
    """Let a program that was unpacked find the libraries that were unpacked with it."""
    usr = next((each for each in Path(program).parents if each.name == "usr"), Path("/usr"))
    if usr == Path("/usr"):
        return dict(os.environ)
    libraries = os.pathsep.join(str(path) for path in (usr / "lib").glob("*-linux-gnu"))
    return dict(os.environ) | {"LD_LIBRARY_PATH": libraries}
