"""A process that is told its order after it was started: what if it is dead by then."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.runner import child as child_process
from app.runner.exec import Order, current_job
from app.runner.launcher import WarmParent
from app.runner.starting import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER = Order(7, 1, "m.C", "handle", "[]")
# No process has it: larger than any system gives out.
NOBODY = 1 << 30


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Give control and report, each with its other end."""
    pairs = [*socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
    pairs += socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pairs
    for each in pairs:
        each.close()


@pytest.fixture
def parent(sockets: list[socket.socket]) -> WarmParent:
    """Give a warm parent that does not run."""
    given: dict[str, Any] = {"approved": {}, "start_method": "fork", "slots": 1}
    return WarmParent(sockets[0], sockets[2], given)


def asked(parent: WarmParent, *, is_alive: bool) -> Child:
    """Give a process that has been told its order."""
    awaiting, asking = os.pipe()
    if not is_alive:
        os.close(awaiting)
    child = Child(pid=NOBODY, asking=asking, status=9)
    child.take(ORDER, Path(), 1000)
    parent.children[NOBODY] = parent.by_job[ORDER.job_id] = child
    child.ask(b"an order\n")
    if is_alive:
        os.close(awaiting)
    return child


def said(parent: WarmParent, sockets: list[socket.socket]) -> list[dict[str, Any]]:
    """Give what the launcher hears."""
    parent._speak()
    sockets[3].setblocking(False)
    try:
        heard: list[dict[str, Any]] = json.loads(sockets[3].recv(65_536))
    except BlockingIOError:
        return []
    return heard


def test_an_order_for_a_process_that_was_dead_goes_to_the_next(
    parent: WarmParent, sockets: list[socket.socket]
) -> None:
    """What could not even be written to its process has not begun: it is no crash, and waits again."""
    child = asked(parent, is_alive=False)

    parent._say_end(child)

    assert [ORDER] == [*parent.waiting]
    assert [] == said(parent, sockets)
    assert {} == parent.children


def test_an_order_that_was_written_is_the_process_s_own(
    parent: WarmParent, sockets: list[socket.socket]
) -> None:
    """A process that dies with its order has ended with it, whether it had read it or not."""
    child = asked(parent, is_alive=True)

    parent._say_end(child)

    assert [] == [*parent.waiting]
    assert [("ended", 7, 9)] == [(m["kind"], m["job"], m["signal"]) for m in said(parent, sockets)]


def test_an_order_that_was_to_be_stopped_is_not_given_again(
    parent: WarmParent, sockets: list[socket.socket]
) -> None:
    """A job that is cancelled while its process is found dead is over."""
    child = asked(parent, is_alive=False)
    child.stopped = "cancel"

    parent._say_end(child)

    assert [] == [*parent.waiting]
    assert ["cancel"] == [message["stopped"] for message in said(parent, sockets)]


def test_a_rehearsal_leaves_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    """A process that has gone the way of a job for nothing runs none, and has said nothing."""
    child_process.rehearse(2)

    assert current_job.id_or_none() is None
    assert ("", "") == tuple(capfd.readouterr())
