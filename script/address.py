"""Where the site is to listen: HOST and PORT, checked before anything takes time.

Only the standard library is used: script/server runs this before there is anything else.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_FREE_PORT: Final = 1024
LAST_PORT: Final = 65535
ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with what a person asked for


class Address(NamedTuple):
    """A host and a port of this machine."""

    host: str
    port: int

    @property
    def bound_host(self) -> str:
        """The host as gunicorn wants it: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        """What to open in a browser on this machine."""
        host = "localhost" if self.host in ANYWHERE else self.bound_host
        return f"http://{host}:{self.port}"


def read_address(environment: Mapping[str, str]) -> Address:
    """Read HOST and PORT; stop with one sentence when PORT is not a port."""
    host = environment.get("HOST", "").strip(" []") or "127.0.0.1"
    port = environment.get("PORT", "").strip() or "8000"
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= LAST_PORT):
        sys.exit(f"PORT={port} is not a port: give a number from 1 to {LAST_PORT}, for example PORT=8001.")
    return Address(host, int(port))


def refuse_unusable(address: Address) -> None:
    """Stop with one sentence when nothing can listen there."""
    try:
        bind(address)
    except socket.gaierror:
        sys.exit(f"HOST={address.host} is not an address of this machine.")
    except OSError as error:
        sys.exit(sentence(address, error))


def bind(address: Address) -> None:
    """Listen there for a moment, as the web server will."""
    family, _, _, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without it a port that was in use a minute ago would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(target)
        probe.listen()


def sentence(address: Address, error: OSError) -> str:
    """Say why nothing can listen there, and what to do about it."""
    if error.errno == errno.EADDRNOTAVAIL:
        return f"HOST={address.host} is not an address of this machine."
    why = {
        errno.EADDRINUSE: f"Port {address.port} on {address.host} is taken by another program",
        errno.EACCES: f"Port {address.port} needs more rights than you have",
    }.get(error.errno or 0, f"Port {address.port} on {address.host} cannot be used ({error.strerror})")
    return f"{why}; choose another one, for example: PORT={another(address.port)} script/server"


def another(port: int) -> int:
    """Suggest a port that needs no rights."""
    return port + 1 if FIRST_FREE_PORT <= port < LAST_PORT else 8001


if __name__ == "__main__":
    refuse_unusable(read_address(os.environ))
