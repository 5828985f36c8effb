"""The programs under script/: what they say, and when they say no."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from script import announce, steps
from script.address import Address, read_address
from script.database import is_newest
from script.demo import make_demo, welcome

TOP = Path(__file__).parents[2]


def check_address(**environment: str) -> subprocess.CompletedProcess[str]:
    """Ask script/server's check of HOST and PORT."""
    return subprocess.run(
        [sys.executable, "-m", "script.address"],
        cwd=TOP,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000x", "8 000", "²"])
def test_a_port_that_is_none_is_refused_with_one_sentence(port: str) -> None:
    """PORT is a number from 1 to 65535; everything else is said in one sentence that repeats it."""
    done = check_address(PORT=port)
    assert 1 == done.returncode
    assert (
        f"PORT={port} is not a port: give a number from 1 to 65535, for example PORT=8001.\n" == done.stderr
    )


def test_a_taken_port_is_refused_with_one_sentence_and_another_port() -> None:
    """Who starts the site twice is told so, and how to go on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = check_address(PORT=str(port))
    assert 1 == done.returncode
    assert f"Port {port} on 127.0.0.1 is taken by another program; choose another one" in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_a_host_of_another_machine_is_refused() -> None:
    """The site can only listen where this machine is."""
    done = check_address(HOST="192.0.2.1")
    assert (1, "HOST=192.0.2.1 is not an address of this machine.\n") == (done.returncode, done.stderr)


def test_the_address_is_8000_on_this_machine_unless_told_otherwise() -> None:
    """Nothing is shown to a network that nobody asked to show it to."""
    assert Address("127.0.0.1", 8000) == read_address({})
    assert Address("::1", 81) == read_address({"HOST": "[::1]", "PORT": "81"})


def test_a_site_that_listens_everywhere_is_opened_at_localhost() -> None:
    """The address printed is one that a browser can open."""
    assert "http://localhost:8000" == Address("0.0.0.0", 8000).url  # noqa: S104 - given, not bound
    assert "http://[::1]:8000" == Address("::1", 8000).url


def test_an_address_where_nothing_listens_does_not_answer() -> None:
    """The welcome waits for the site: a refused connection is no answer."""
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    assert not announce.answers(f"http://127.0.0.1:{port}")


def test_demo_data_is_made_once_with_one_password(tmp_path: Path) -> None:
    """The first start makes the data and shows the password; the next one does neither."""
    asked: list[str] = []

    def flask(environment: dict[str, str], *command: str) -> str:
        asked.append(f"{' '.join(command)}: {environment['TEST_PASSWORD']}")
        return ""

    first = make_demo(tmp_path, {"TEST_PASSWORD": "correct-horse"}, flask)
    second = make_demo(tmp_path, {"TEST_PASSWORD": "correct-horse"}, flask)
    assert ("correct-horse", None) == (first, second)
    assert ["academic demo: correct-horse"] == asked


def write_revision(folder: Path, revision: str, down: str | None) -> None:
    """Add a revision as Alembic writes it."""
    (folder / f"{revision}.py").write_text(f"revision = {revision!r}\ndown_revision = {down!r}\n")


def test_only_a_database_at_the_newest_revision_is_taken_for_one(tmp_path: Path) -> None:
    """A start leaves out the upgrade when, and only when, there is nothing to upgrade."""
    database = tmp_path / "a folder" / "app.db"
    database.parent.mkdir()
    write_revision(tmp_path, "aaaa", None)
    assert not is_newest(database, tmp_path)

    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        assert not is_newest(database, tmp_path)
        connection.execute("INSERT INTO alembic_version VALUES ('aaaa')")
    connection.close()
    assert is_newest(database, tmp_path)

    write_revision(tmp_path, "bbbb", "aaaa")
    assert not is_newest(database, tmp_path)


def test_a_database_that_has_courses_keeps_its_passwords(tmp_path: Path) -> None:
    """No password is shown that nobody has."""
    password = make_demo(tmp_path, {}, lambda *_: "There are courses already: nothing was made.\n")
    assert password is None


def test_the_welcome_names_the_address_and_the_three_accounts() -> None:
    """Who reads it can sign in as each of the three roles, and knows how to stop."""
    said = welcome("http://127.0.0.1:8000", "correct-horse")
    for wanted in ("http://127.0.0.1:8000", "admin@", "instructor@", "student@", "correct-horse", "Ctrl-C"):
        assert wanted in said


def test_a_step_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """script/test ends, even if something in it does not."""
    monkeypatch.setattr(steps, "MOST_SECONDS", 0.2)
    began = time.monotonic()
    result = steps.run(steps.Step("hangs", f"{sys.executable} -c 'import time; time.sleep(60)'"))
    assert (steps.TIMED_OUT, False) == (result.exit_code, result.is_good)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("line", "closing"),
    [
        ("===== 3 passed in 0.12s =====", "3 passed in 0.12s"),
        ("\x1b[31m== \x1b[1m1 failed\x1b[0m, 2 passed in 1.00s ==\x1b[0m", "1 failed, 2 passed in 1.00s"),
        ("==== no tests ran in 0.01s ====", "no tests ran in 0.01s"),
        ("==== short test summary info ====", ""),
    ],
)
def test_the_closing_line_of_pytest_is_found(line: str, closing: str) -> None:
    """The summary counts what pytest counted."""
    assert closing == steps.closing_line(["collected 3 items\n", line + "\n", "\n"])
