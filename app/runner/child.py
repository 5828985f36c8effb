"""A job's process between its start by the launcher and `exec.perform`."""

from __future__ import annotations

import json
import os
import socket
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from app.runner import processes
from app.runner.exec import Order, is_flask_used, perform, prepare_output
from app.runner.registry import Registry
from app.runner.settings import Approval, load_approved

if TYPE_CHECKING:
    from collections.abc import Mapping

# Python adapts a function to what it does once it has been called so often.
REHEARSALS: Final = 12


def main() -> int:
    """Run the order that comes on standard input; report on the descriptor named in the environment."""
    processes.stay_with_parent(int(os.environ.pop("RUNNER_PARENT_PID")))
    report = socket.socket(fileno=int(os.environ.pop("RUNNER_REPORT_FD")))
    os.set_inheritable(report.fileno(), False)
    given = json.loads(sys.stdin.buffer.read())
    _forget_input()
    prepare_output()
    order = Order(**given["order"])
    run(order, Registry(load_approved(given["approved"])), given["application"], report)
    return 0


def run(order: Order, registry: Registry, application: str, report: socket.socket) -> None:
    """Perform and end this process; nothing registered to run at exit does, as in any fork."""

    def send(message: Mapping[str, Any]) -> None:
        report.send(_encode(message).encode())

    perform(order, registry, application, send)
    os._exit(0)


class Nothing:
    """A handler that is no job's."""

    def handle(self) -> None:
        """Do nothing."""


def rehearse(times: int = REHEARSALS) -> None:
    """Go the way of a job, so that what Python and the system prepare on the way is there before the job.

    Not within an application: what that does when it is entered and left is not ours to do for nothing.
    """
    if is_flask_used():
        return
    registry, text = _rehearsal()
    said: list[Mapping[str, Any]] = []
    for _ in range(times):
        perform(Order(*json.loads(text)), registry, "", said.append)
    for each in said:
        _encode(each)


@cache
def _rehearsal() -> tuple[Registry, str]:
    name = f"{Nothing.__module__}.{Nothing.__qualname__}"
    registry = Registry({name: Approval(methods=("handle",))})
    registry.preload()
    return registry, _encode(Order(0, 0, name, "handle", "[]"))


# Not as ASCII: a long text would grow beyond what a socket takes at once. Made before any fork.
_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


def _forget_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
