"""Waking launchers: quick where it works, harmless where it does not."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from app.runner import wake

if TYPE_CHECKING:
    import socket
    from pathlib import Path


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
