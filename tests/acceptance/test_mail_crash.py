"""A process that is killed between handing a mail over and writing it down: all of it real."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from aiosmtpd.controller import Controller

from app import create_app
from tests.conftest import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

TOP = Path(__file__).parents[2]
DRAIN_SECONDS = 120


class Killer:
    """A mail server that takes the mail, and kills who sent it so many times before it can hear so."""

    def __init__(self, kills: int) -> None:
        self.kills = kills
        self.got: list[bytes] = []
        self.killed: list[int] = []

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        """Keep the mail; then the sender is dead or told."""
        self.got.append(envelope.content)
        if len(self.killed) < self.kills:
            pid = sender(session.peer)
            os.kill(pid, signal.SIGKILL)
            self.killed.append(pid)
        return "250 OK"

    def message_ids(self) -> list[str]:
        """Give the Message-ID of every copy that arrived."""
        parsed = (email.message_from_bytes(raw, policy=email.policy.default) for raw in self.got)
        return [str(mail["Message-ID"]) for mail in parsed]


def sender(peer: tuple[str, int]) -> int:
    """Give the process at the other end of a connection."""
    found = (each.pid for each in psutil.net_connections("tcp") if each.laddr == peer)
    pid = next(found)
    assert pid is not None
    return pid


@pytest.fixture
def kills() -> int:
    """How often the sender is killed."""
    return 1


@pytest.fixture
def server(kills: int) -> Iterator[Killer]:
    """Run the mail server on a port of its own."""
    made = Killer(kills)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    made.port = port  # type: ignore[attr-defined]
    yield made
    controller.stop()


@pytest.fixture
def site(tmp_path: Path, empty_database: Path, server: Killer) -> Iterator[tuple[Flask, dict[str, str]]]:
    """Give a site that sends to that server, and the environment in which its launcher is that site's."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(empty_database, folder / "app.db")
    values = settings(tmp_path) | {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'app.db'}",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": server.port,  # type: ignore[attr-defined]
    }
    names = ("SECRET_KEY", "INSTANCE_PATH", "LOG_DIR", "SQLALCHEMY_DATABASE_URI", "MAIL_SERVER", "MAIL_PORT")
    environment = dict(os.environ) | {f"FLASK_{name}": str(values[name]) for name in names}
    application = create_app(values)
    yield application, environment
    with application.app_context():
        from app.db import db

        db.session.remove()
        db.engine.dispose()


def queue(application: Flask) -> int:
    """Put a mail and its job into the database."""
    from app.db import writing
    from app.mail.delivery import send_later
    from app.mail.outbox import queue_mail

    with application.app_context(), writing() as session:
        mail = queue_mail(
            session,
            key="welcome:1",
            kind="welcome",
            to="ada@example.com",
            subject="Your account is ready",
            template="welcome",
            context={"first_name": "Ada", "url": "http://course.example.org/sign-in"},
        )
        session.flush()
        send_later(session, mail.id)
        return mail.id


def drain(environment: dict[str, str]) -> None:
    """Run a launcher until nothing is left to do."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "jobs", "work", "--drain"],
        cwd=TOP, env=environment, capture_output=True, text=True, timeout=DRAIN_SECONDS, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr


def stored(application: Flask, mail_id: int) -> tuple[str, int, int]:
    """Give status, attempts and unknowns of a mail."""
    from app.db import db
    from app.mail.models import OutboxMail

    with application.app_context():
        mail = db.session.get_one(OutboxMail, mail_id)
        return mail.status, mail.attempts, mail.unknowns


def test_a_mail_whose_sender_was_killed_goes_out_once_more(
    site: tuple[Flask, dict[str, str]], server: Killer
) -> None:
    """Nobody can say whether it arrived, so it does once more, with the same Message-ID, and at once."""
    application, environment = site
    mail_id = queue(application)
    drain(environment)

    assert 1 == len(server.killed)
    first, second = server.message_ids()
    assert first == second
    assert ("sent", 2, 1) == stored(application, mail_id)


@pytest.mark.parametrize("kills", [2])
def test_it_never_goes_out_a_third_time(site: tuple[Flask, dict[str, str]], server: Killer) -> None:
    """After a second sender was killed the mail is left alone, and says so to the admin."""
    application, environment = site
    mail_id = queue(application)
    drain(environment)

    assert 2 == len(server.got)
    assert 1 == len(set(server.message_ids()))
    assert ("unknown", 2, 2) == stored(application, mail_id)
