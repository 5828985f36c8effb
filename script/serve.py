"""Bring the site up, say where it is, and end everything together.

Called by script/server, which has set the environment up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from honcho import manager as honcho_manager
from honcho.environ import parse_procfile
from honcho.manager import Manager

from script.address import Address, read_address, refuse_unusable
from script.announce import announce
from script.database import is_newest
from script.demo import make_demo, welcome

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP: Final = Path(__file__).resolve().parent.parent
# The launcher gives its running jobs their own grace first; honcho must not be quicker.
KILL_AFTER_SECONDS: Final = 45


def main() -> int:
    """Prepare the site and run it; the exit code is that of what ended it."""
    os.chdir(TOP)
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    address = read_address(os.environ)
    refuse_unusable(address)
    environment = child_environment(address)
    instance = Path(environment.get("FLASK_INSTANCE_PATH") or TOP / "instance")
    is_elsewhere = "FLASK_SQLALCHEMY_DATABASE_URI" in environment
    if is_elsewhere or not is_newest(instance / "app.db", TOP / "migrations" / "versions"):
        flask(environment, "db", "upgrade")
    password = make_demo(instance, environment, flask)
    return serve(environment, address.url, welcome(address.url, password))


def child_environment(address: Address) -> dict[str, str]:
    """Give the environment of every process of the site."""
    return {
        **os.environ,
        "HOST": address.bound_host,
        "PORT": str(address.port),
        # Links in mails are made from it.
        "SITE_URL": os.environ.get("SITE_URL") or address.url,
        # The Procfile says `python`: that of .venv, whatever the caller's PATH.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }


def flask(environment: Mapping[str, str], *command: str) -> str:
    """Run one `flask` command and give what it printed; when it fails, stop with that."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        sys.exit(f"The site was not started: `flask {' '.join(command)}` failed (see above).")
    return done.stdout


def serve(environment: Mapping[str, str], url: str, welcome_text: str) -> int:
    """Run what the Procfile names until one of them ends or we are told to stop."""
    site = Site()
    for name, command in parse_procfile((TOP / "Procfile").read_text()).processes.items():
        site.add_process(name, command, env=environment)
    is_over = threading.Event()
    threading.Thread(target=announce, args=(url, welcome_text, is_over), daemon=True).start()
    site.loop()
    is_over.set()
    return int(site.returncode or 0)


class Site(Manager):  # type: ignore[misc]  # honcho has no types
    """The site's processes under one parent: when one ends, or we are told to, all end."""

    def __init__(self) -> None:
        """Give the launcher its time, and mind a closed terminal."""
        super().__init__()
        honcho_manager.KILL_WAIT = KILL_AFTER_SECONDS
        # A closed terminal ends the site as Ctrl-C does.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    def terminate(self) -> None:
        """End all; before every process has reported its number, a little later."""
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()

    def _system_print(self, data: str) -> None:
        """Leave out what honcho says of itself, but for a process that ended without being told to."""
        if "stopped" in data and not self._terminating:
            super()._system_print(f"{data.strip()} by itself: ending the site\n")


if __name__ == "__main__":
    sys.exit(main())
