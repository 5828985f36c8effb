"""What becomes of a mail that cannot go out now, or never: waiting, giving up, flagging, sending again."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.db import db, writing
from app.mail.delivery import MAX_ATTEMPTS, deliver, deliver_or_leave, retry_seconds
from app.mail.models import OutboxMail, RefusedAddress
from app.mail.outbox import queue_mail
from app.runner import Abort, Retry
from app.runner.models import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn


class Server:
    """A mail server whose answers are given one by one, then "250 OK"."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.got: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        """Answer, or take the mail and never say so."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250") or answer == "silence":
            self.got.append(envelope.content)
        if answer == "silence":
            await asyncio.Event().wait()
        return answer


@pytest.fixture
def server() -> Iterator[Server]:
    """Run it on a port of its own."""
    made = Server()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made.port = int(probe.getsockname()[1])  # type: ignore[attr-defined]
    controller = Controller(made, hostname="127.0.0.1", port=made.port)  # type: ignore[attr-defined]
    controller.start()
    yield made
    controller.stop()


@pytest.fixture
def overrides(server: Server) -> dict[str, Any]:
    """Let the site send there."""
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": server.port, "MAIL_TIMEOUT_SECONDS": 5}  # type: ignore[attr-defined]


def queue(application: Flask, **more: Any) -> int:
    """Put a mail into the outbox."""
    values: dict[str, Any] = {"key": "welcome:1", "kind": "welcome", "to": "Ada@example.com"} | more
    with application.app_context(), writing() as session:
        mail = queue_mail(
            session,
            subject="Your account is ready",
            template="welcome",
            context={"first_name": "Ada", "url": "http://course.example.org/sign-in"},
            **values,
        )
        session.flush()
        return mail.id


def attempt(application: Flask, mail_id: int) -> object:
    """Try to deliver it; gives the status, or what the job is told."""
    with application.app_context():
        try:
            return deliver(mail_id)
        except (Retry, Abort) as said:
            return said


def stored(application: Flask, mail_id: int) -> OutboxMail:
    """Give the mail as the database has it now."""
    with application.app_context():
        mail = db.session.get_one(OutboxMail, mail_id)
        db.session.expunge(mail)
        return mail


def flagged(application: Flask) -> list[str]:
    """Give the addresses that are flagged."""
    with application.app_context():
        return list(db.session.scalars(select(RefusedAddress.address)))


def test_the_wait_grows_to_an_hour(application: Flask, server: Server) -> None:
    """Greylisting is over within minutes, an outage within hours: the server is asked ever more seldom."""
    server.answers = ["451 not now"] * 3
    mail_id = queue(application)
    said = [attempt(application, mail_id) for _ in range(3)]
    assert [60.0, 120.0, 240.0] == [it.delay for it in said if isinstance(it, Retry)]
    assert 3600.0 == retry_seconds(MAX_ATTEMPTS)
    assert "sent" == attempt(application, mail_id)


def test_a_server_that_never_has_time_is_given_up(application: Flask, server: Server) -> None:
    """After the last attempt the mail has failed, for an admin to see; it does not wait for ever."""
    server.answers = ["451 not now"] * 2
    mail_id = queue(application)
    with application.app_context(), writing() as session:
        session.get_one(OutboxMail, mail_id).attempts = MAX_ATTEMPTS - 2
    assert isinstance(attempt(application, mail_id), Retry)
    assert isinstance(attempt(application, mail_id), Abort)
    assert "failed" == stored(application, mail_id).status


def test_what_must_wait_is_left_to_a_patient_job(application: Flask, server: Server) -> None:
    """A receipt's own job does not wait; one job that does is enqueued, however often it is left."""
    server.answers = ["451 not now"] * 2
    mail_id = queue(application)
    with application.app_context():
        assert ["queued", "queued"] == [deliver_or_leave(mail_id) for _ in range(2)]
        [job] = db.session.scalars(select(Job)).all()
        assert ("app.mail.jobs.DeliverMailJob", f"[{mail_id}]") == (job.class_name, job.parameters)
        assert MAX_ATTEMPTS == job.max_attempts
        assert 60 == round((job.run_at - job.created_at).total_seconds())


@pytest.mark.parametrize(
    ("answer", "found"), [("550 no such mailbox", ["ada@example.com"]), ("552 too large", [])]
)
def test_an_address_that_is_refused_is_flagged(
    application: Flask, server: Server, answer: str, found: list[str]
) -> None:
    """Where there is no mailbox people are told why nothing arrives; a large mail says nothing of that."""
    server.answers = [answer]
    assert isinstance(attempt(application, queue(application)), Abort)
    assert found == flagged(application)


def test_a_mail_that_arrives_clears_the_flag(application: Flask, server: Server) -> None:
    """As soon as the mailbox takes a mail nobody is warned of it any more."""
    server.answers = ["550 no such mailbox"]
    attempt(application, queue(application))
    assert "sent" == attempt(application, queue(application, key="welcome:2"))
    assert [] == flagged(application)


def test_a_server_that_falls_silent_with_the_mail(application: Flask, server: Server) -> None:
    """Who took the mail and says nothing until the time is up may have it: it goes out once more."""
    application.config["MAIL_TIMEOUT_SECONDS"] = 0.3
    server.answers = ["silence"]
    mail_id = queue(application)
    assert isinstance(attempt(application, mail_id), Retry)
    assert ("unknown", 1) == (stored(application, mail_id).status, stored(application, mail_id).unknowns)
    application.config["MAIL_TIMEOUT_SECONDS"] = 5
    assert "sent" == attempt(application, mail_id)
    assert 2 == len(server.got)


@pytest.fixture
def admin(make_user: MakeUser, sign_in: SignIn) -> FlaskClient:
    """Give a browser in which an admin is signed in."""
    return sign_in(make_user("admin"))


def test_an_admin_sends_a_mail_again(application: Flask, server: Server, admin: FlaskClient) -> None:
    """Whatever became of it, it is queued under its Message-ID, with a job, and it is audited."""
    server.answers = ["550 no such mailbox"]
    mail_id = queue(application)
    attempt(application, mail_id)
    page = admin.get(f"/admin/outbox/{mail_id}").text
    assert "This address was refused." in page
    assert "Send it again" in page

    before = stored(application, mail_id).message_id
    assert 303 == admin.post(f"/admin/outbox/{mail_id}/resend").status_code
    again = stored(application, mail_id)
    assert ("queued", 0, None, before) == (again.status, again.attempts, again.error, again.message_id)
    with application.app_context():
        assert f"[{mail_id}]" == db.session.scalar(select(Job.parameters))
        row = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "mail_resent")).one()
        assert ("failed", "queued", f"mail:{mail_id}") == (row.before, row.after, row.subject)
    assert "sent" == attempt(application, mail_id)


def test_what_cannot_be_sent_again_is_not(application: Flask, server: Server, admin: FlaskClient) -> None:
    """A mail that is on its way, or whose secret was removed, stays as it is; a made-up one is not found."""
    waiting = queue(application)
    secret = queue(application, key="welcome:2", is_secret=True)
    assert "sent" == attempt(application, secret)
    for mail_id, why in ((waiting, "it is queued already"), (secret, "it held a secret")):
        page = admin.post(f"/admin/outbox/{mail_id}/resend", follow_redirects=True).text
        assert why in page
        assert "Send it again" not in page
    assert ["queued", "sent"] == [stored(application, each).status for each in (waiting, secret)]
    assert 404 == admin.post("/admin/outbox/999/resend").status_code
    assert 1 == len(server.got)


def test_the_outbox_is_filtered(application: Flask, admin: FlaskClient) -> None:
    """By kind and by text in address, subject and Message-ID; the counts are those of what is found."""
    first, second = queue(application), queue(application, key="x", kind="receipt", to="ben@example.com")
    for query, found, missing in (
        ("kind=receipt", second, first),
        ("q=ADA%40", first, second),
        ("q=ben", second, first),
        ("status=queued&kind=welcome", first, second),
    ):
        page = admin.get(f"/admin/outbox?{query}").text
        assert f'"/admin/outbox/{found}"' in page
        assert f'"/admin/outbox/{missing}"' not in page
        assert '<span class="count">1</span>' in page
    assert "No such mail" in admin.get("/admin/outbox?q=100%25").text
