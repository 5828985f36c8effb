"""Delivering mail to a real SMTP server of our own: once, complete, and honest about failure."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import socket
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from app.db import db, writing
from app.mail.delivery import LEASE, deliver
from app.mail.jobs import DeliverMailJob
from app.mail.models import OutboxMail
from app.mail.outbox import queue_mail
from app.runner import Abort, Retry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from flask import Flask


class Mailbox:
    """What the server does with a mail: `answers` are given one by one, then "250 OK"."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answers: list[str] = []
        self.recipient_answers: list[str] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Accept or refuse a recipient."""
        if self.recipient_answers:
            return self.recipient_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's hook
        """Keep the mail, whatever is answered: a server may have it and not be able to say so."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang up":
            self.got.append(envelope.content)
            server.transport.close()
            return "250 OK"
        if answer.startswith("250"):
            self.got.append(envelope.content)
        return answer

    def mails(self) -> list[EmailMessage]:
        """Give what arrived, parsed as a mail program does."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.got]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server on a port of its own."""
    box = Mailbox()
    box.controller = Controller(box, hostname="127.0.0.1", port=free_port())  # type: ignore[attr-defined]
    box.controller.start()  # type: ignore[attr-defined]
    yield box
    box.controller.stop()  # type: ignore[attr-defined]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def overrides(mailbox: Mailbox) -> dict[str, Any]:
    """Let the site send to the test's mail server."""
    port = mailbox.controller.port  # type: ignore[attr-defined]
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_TIMEOUT_SECONDS": 5}


def queue(application: Flask, **more: Any) -> int:
    """Put a mail into the outbox and give its number."""
    values: dict[str, Any] = {
        "key": "password-reset:1",
        "kind": "password-reset",
        "to": "ada@example.com",
        "subject": "Set a new password",
        "template": "password_reset",
        "context": {"user": {"first_name": "Ada"}, "url": "http://course.example.org/reset/x", "minutes": 60},
    }
    with application.app_context(), writing() as session:
        mail = queue_mail(session, **(values | more))
        session.flush()
        return mail.id


def send(application: Flask, mail_id: int) -> str:
    """Run the job once."""
    with application.app_context():
        return DeliverMailJob().handle(mail_id)["status"]


def stored(application: Flask, mail_id: int) -> OutboxMail:
    """Give the mail as the database has it now."""
    with application.app_context():
        mail = db.session.get_one(OutboxMail, mail_id)
        db.session.expunge(mail)
        return mail


def set_back(application: Flask, mail_id: int, age: dt.timedelta) -> None:
    """Make it look as if a process had begun to send this mail that long ago, and never said more."""
    with application.app_context(), writing() as session:
        mail = session.get_one(OutboxMail, mail_id)
        mail.status, mail.sending_at = "sending", dt.datetime.now(dt.UTC) - age


def test_a_mail_is_delivered_once(application: Flask, mailbox: Mailbox) -> None:
    """However often its job runs, a mail that was sent is not sent again."""
    mail_id = queue(application)
    assert ["sent"] * 3 == [send(application, mail_id) for _ in range(3)]

    assert len(mailbox.got) == 1
    mail = stored(application, mail_id)
    assert ("sent", 1, None) == (mail.status, mail.attempts, mail.error)
    assert mail.sent_at is not None


def test_the_same_key_is_the_same_mail(application: Flask) -> None:
    """A job that is retried finds its mail in the outbox; another key is another mail."""
    first = queue(application)
    assert first == queue(application, subject="Something else")
    assert first != queue(application, key="password-reset:2")


def test_a_mail_says_it_in_text_and_in_html(application: Flask, mailbox: Mailbox) -> None:
    """Programs that show no HTML show the same words; addresses are there in full in both."""
    send(
        application,
        queue(application, context={"user": {"first_name": "Zoë & Co"}, "url": "http://x/", "minutes": 5}),
    )
    (mail,) = mailbox.mails()
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))

    assert text is not None
    assert html is not None
    assert "multipart/alternative" in {part.get_content_type() for part in mail.walk()}
    assert "Hello Zoë & Co," in text.get_content()
    assert "Hello Zoë &amp; Co," in html.get_content()
    assert "http://x/" in text.get_content()
    assert 'href="http://x/"' in html.get_content()


def test_headers_say_that_no_person_wrote_it(application: Flask, mailbox: Mailbox) -> None:
    """Out-of-office programs stay silent, answers go to the course, threads and lists are kept together."""
    send(
        application,
        queue(
            application,
            thread="submission:3",
            reply_to="teacher@example.com",
            list_id="<cs3303.course.example.org>",
        ),
    )
    (mail,) = mailbox.mails()
    expected = {
        "To": "ada@example.com",
        "From": "no-reply@course.example.org",
        "Subject": "Set a new password",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Reply-To": "teacher@example.com",
        "List-Id": "<cs3303.course.example.org>",
    }
    assert expected == {name: mail[name] for name in expected}
    assert mail["References"] == mail["In-Reply-To"] != mail["Message-ID"]
    assert mail["Message-ID"].startswith("<password-reset.")
    assert mail["Message-ID"].endswith("@course.example.org>")


def test_mails_of_one_thread_refer_to_the_same(application: Flask, mailbox: Mailbox) -> None:
    """Receipt and grade of one submission are shown as one conversation."""
    for key in ("receipt:3", "grade:3"):
        send(application, queue(application, key=key, thread="submission:3"))
    receipt, grade = mailbox.mails()
    assert receipt["References"] == grade["References"]
    assert receipt["Message-ID"] != grade["Message-ID"]


def test_a_title_cannot_add_headers(application: Flask, mailbox: Mailbox) -> None:
    """Line breaks in what people write are taken out of subject and addresses."""
    send(application, queue(application, subject="Lists\r\nBcc: all@example.com\n\nBody\x00 of\u2028mine"))
    (mail,) = mailbox.mails()
    assert mail["Subject"] == "Lists Bcc: all@example.com Body of mine"
    assert mail["Bcc"] is None


def test_a_server_that_says_not_now_is_asked_again(application: Flask, mailbox: Mailbox) -> None:
    """4xx means later: the mail stays queued, the job is retried, and one mail arrives."""
    mailbox.answers = ["451 greylisted, try again"]
    mail_id = queue(application)
    with pytest.raises(Retry, match="451 greylisted"):
        send(application, mail_id)
    waiting = stored(application, mail_id)
    assert ("queued", "the mail server said 451 greylisted, try again") == (waiting.status, waiting.error)

    assert send(application, mail_id) == "sent"
    assert len(mailbox.got) == 1
    assert (2, None) == (stored(application, mail_id).attempts, stored(application, mail_id).error)


@pytest.mark.parametrize("step", ["answers", "recipient_answers"])
def test_a_server_that_says_never_is_believed(application: Flask, mailbox: Mailbox, step: str) -> None:
    """5xx means never: the mail has failed and the job is not retried."""
    setattr(mailbox, step, ["550 no such person"])
    mail_id = queue(application)
    with pytest.raises(Abort, match="550 no such person"):
        send(application, mail_id)
    assert stored(application, mail_id).status == "failed"
    assert mailbox.got == []


def test_a_person_may_try_a_failed_mail_again(application: Flask, mailbox: Mailbox) -> None:
    """When the mailbox exists at last, retrying the job delivers the mail."""
    mailbox.answers = ["550 no such person"]
    mail_id = queue(application)
    with pytest.raises(Abort):
        send(application, mail_id)
    assert send(application, mail_id) == "sent"


@pytest.mark.parametrize(
    "overrides", [{"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": 1, "MAIL_TIMEOUT_SECONDS": 2}]
)
def test_a_server_that_is_away_is_asked_again(application: Flask) -> None:
    """No connection means later."""
    mail_id = queue(application)
    with pytest.raises(Retry, match="Connection refused"):
        send(application, mail_id)
    assert stored(application, mail_id).status == "queued"


def test_a_server_that_hangs_is_left(application: Flask) -> None:
    """A server that accepts the connection and says nothing does not hold the job for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        application.extensions["mail"].port = silent.getsockname()[1]
        application.config["MAIL_TIMEOUT_SECONDS"] = 0.2
        with pytest.raises(Retry, match=r"(?i)timed out"):
            send(application, queue(application))


def test_a_mail_that_may_have_arrived_goes_out_once_more(application: Flask, mailbox: Mailbox) -> None:
    """When the line breaks after the mail was handed over, the same Message-ID goes out again, one time."""
    mailbox.answers = ["hang up"]
    mail_id = queue(application)
    with pytest.raises(Retry):
        send(application, mail_id)
    assert stored(application, mail_id).status == "unknown"

    assert send(application, mail_id) == "sent"
    first, second = mailbox.mails()
    assert first["Message-ID"] == second["Message-ID"]


def test_nobody_gets_a_mail_three_times(application: Flask, mailbox: Mailbox) -> None:
    """After two lines broke in a row it is left alone, however often the job is retried."""
    mailbox.answers = ["hang up", "hang up"]
    mail_id = queue(application)
    with pytest.raises(Retry):
        send(application, mail_id)
    for _ in range(3):
        with pytest.raises(Abort):
            send(application, mail_id)
    assert stored(application, mail_id).status == "unknown"
    assert len(mailbox.got) == 2


def test_a_mail_is_sent_by_one_process_at_a_time(application: Flask, mailbox: Mailbox) -> None:
    """While one process talks to the server, another one waits instead of sending the same mail."""
    mail_id = queue(application)
    set_back(application, mail_id, LEASE / 2)
    with pytest.raises(Retry, match="another process") as caught:
        send(application, mail_id)
    assert caught.value.delay == LEASE.total_seconds()
    assert mailbox.got == []


def test_a_process_that_died_while_sending_is_noticed(application: Flask, mailbox: Mailbox) -> None:
    """A mail whose sender died is sent again once; after a second death it is left alone."""
    mail_id = queue(application)
    set_back(application, mail_id, LEASE * 2)
    assert send(application, mail_id) == "sent"
    assert stored(application, mail_id).unknowns == 1

    other = queue(application, key="another")
    for _ in range(2):
        set_back(application, other, LEASE * 2)
        with application.app_context(), writing() as session:
            session.get_one(OutboxMail, other).unknowns += 1
    with pytest.raises(Abort, match="not sent a third time"):
        send(application, other)


def test_a_secret_does_not_stay_in_the_outbox(application: Flask, mailbox: Mailbox) -> None:
    """The link of a reset mail is removed from the database once it is on its way."""
    mail_id = queue(application, is_secret=True)
    assert "course.example.org/reset/x" in stored(application, mail_id).text
    send(application, mail_id)

    mail = stored(application, mail_id)
    assert "course.example.org/reset/x" not in mail.text + mail.html
    assert b"course.example.org/reset/x" in mailbox.got[0]


@pytest.mark.parametrize("overrides", [{"MAIL_SERVER": None}])
def test_without_a_server_mail_is_kept(application: Flask) -> None:
    """A site without a mail server keeps its mail; the job has done its work."""
    mail_id = queue(application)
    assert ["kept", "kept"] == [send(application, mail_id) for _ in range(2)]
    assert stored(application, mail_id).status == "kept"


def test_kept_mail_goes_out_when_there_is_a_server(application: Flask, mailbox: Mailbox) -> None:
    """Once a mail server is set, retrying the job sends what was kept."""
    mail_id = queue(application)
    server, application.config["MAIL_SERVER"] = application.config["MAIL_SERVER"], None
    assert send(application, mail_id) == "kept"
    application.config["MAIL_SERVER"] = server
    assert send(application, mail_id) == "sent"
    assert len(mailbox.got) == 1


def test_a_mail_that_is_not_there_is_not_waited_for(application: Flask) -> None:
    """A number without a mail fails the job at once."""
    with application.app_context(), pytest.raises(Abort, match="no mail 999"):
        deliver(999)
