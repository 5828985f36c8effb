"""Waking launchers: quick where it works, harmless where it does not."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

from app.runner import wake

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    import pytest


def is_woken(receiver: socket.socket | None) -> bool:
    """Whether something has come in."""
    assert receiver is not None
    readable, _, _ = select.select([receiver], [], [], 0)
    return bool(readable)


def test_every_launcher_that_listens_is_woken(tmp_path: Path) -> None:
    """One call reaches all launchers of the machine, and draining puts them back to sleep."""
    launchers = {name: wake.listen(tmp_path, name) for name in ("one", "two")}
    assert not any(map(is_woken, launchers.values()))

    wake.send(tmp_path)

    for name, receiver in launchers.items():
        assert is_woken(receiver)
        assert receiver is not None
        wake.drain(receiver)
        assert not is_woken(receiver)
        wake.close(tmp_path, name, receiver)
    assert [] == list(tmp_path.iterdir())


def test_many_wakes_are_as_good_as_one(tmp_path: Path) -> None:
    """Who enqueues never waits for a launcher that is busy, however full its socket; the others are woken."""
    receiver = wake.listen(tmp_path, "busy")
    for _ in range(2000):
        wake.send(tmp_path)
    others = {name: wake.listen(tmp_path, name) for name in "abcdef"}

    wake.send(tmp_path)

    assert is_woken(receiver)
    assert all(map(is_woken, others.values()))
    for name, each in others.items():
        wake.close(tmp_path, name, each)
    assert receiver is not None
    wake.drain(receiver)
    assert not is_woken(receiver)
    wake.close(tmp_path, "busy", receiver)


def test_the_name_of_a_dead_launcher_is_taken_away(tmp_path: Path) -> None:
    """A launcher that was killed left its name behind: the next wake clears it, and reaches the living."""
    dead, alive = wake.listen(tmp_path, "dead"), wake.listen(tmp_path, "alive")
    assert dead is not None
    dead.close()

    wake.send(tmp_path)

    assert is_woken(alive)
    assert ["alive.wake"] == [path.name for path in tmp_path.iterdir()]
    wake.close(tmp_path, "alive", alive)


def test_a_directory_may_have_a_long_name(tmp_path: Path) -> None:
    """An address of a socket has room for some 100 bytes; an instance folder may have more."""
    directory = tmp_path / ("d" * 100) / ("e" * 100)
    directory.mkdir(parents=True)
    receiver = wake.listen(directory, "launcher")

    wake.send(directory)

    assert is_woken(receiver)
    wake.close(directory, "launcher", receiver)


def test_nobody_there_is_no_error(tmp_path: Path) -> None:
    """Without a launcher, a directory, or a socket, waking does nothing: polling finds the job."""
    wake.send(tmp_path)
    wake.send(tmp_path / "absent")
    (tmp_path / "text.wake").write_text("not a socket")
    wake.send(tmp_path)
    wake.close(tmp_path, "nobody", None)


def test_where_nothing_can_listen_polling_must_do(tmp_path: Path) -> None:
    """A launcher starts without a socket where it cannot have one."""
    (tmp_path / "taken.wake").write_text("")

    assert wake.listen(tmp_path, "taken") is None


def test_a_launcher_that_comes_and_one_that_goes_are_noticed(tmp_path: Path) -> None:
    """The folder is not read anew for every job, and still who listens now is woken, and nobody else."""
    long_ago = tmp_path.stat().st_mtime - 60
    first = wake.listen(tmp_path, "first")
    os.utime(tmp_path, (long_ago, long_ago))
    wake.send(tmp_path)
    assert first is not None
    wake.drain(first)

    second = wake.listen(tmp_path, "second")
    wake.send(tmp_path)

    assert (True, True) == (is_woken(first), is_woken(second))
    wake.drain(first)
    wake.close(tmp_path, "second", second)
    wake.send(tmp_path)
    assert is_woken(first)
    wake.close(tmp_path, "first", first)


def test_a_folder_that_changes_twice_at_one_moment_is_read_twice(tmp_path: Path) -> None:
    """File systems tell time in ticks: what came within the same one is woken too."""
    # As recent as can be, however long this test takes.
    moment = time.time() + 3600
    first = wake.listen(tmp_path, "first")
    os.utime(tmp_path, (moment, moment))
    wake.send(tmp_path)

    second = wake.listen(tmp_path, "second")
    os.utime(tmp_path, (moment, moment))
    wake.send(tmp_path)

    assert (True, True) == (is_woken(first), is_woken(second))
    wake.close(tmp_path, "first", first)
    wake.close(tmp_path, "second", second)


def test_a_quiet_folder_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enqueueing costs the same however many files lie beside the sockets."""
    reads: list[Path] = []
    listdir = os.listdir

    def count(directory: Path) -> list[str]:
        reads.append(directory)
        return listdir(directory)

    monkeypatch.setattr(os, "listdir", count)
    long_ago = time.time() - 60
    os.utime(tmp_path, (long_ago, long_ago))

    for _ in range(3):
        wake.send(tmp_path)

    assert [tmp_path] == reads
