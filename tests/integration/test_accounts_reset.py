"""A forgotten password: the link that comes by mail."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import PasswordReset
from app.db import db, writing
from app.mail.models import OutboxMail
from app.runner.models import Job
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.web_routes import without_tokens

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

NEW = "eight brown bottles"


def mails(application: Flask) -> list[OutboxMail]:
    """Give all mails of the outbox, oldest first."""
    with application.app_context():
        return list(db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)))


def ask_for_link(client: FlaskClient, email: str) -> str:
    """Ask for a link as the person would, and read it from the mail."""
    assert client.post("/forgot-password", data={"email": email}).status_code == 200
    found = re.search(r"http://course\.example\.org(/reset-password/\S+)", mails(client.application)[-1].text)
    assert found is not None
    return found[1]


@pytest.fixture
def link(client: FlaskClient, make_user: MakeUser) -> str:
    """Give the link that was sent to ada@example.com."""
    make_user(email="ada@example.com")
    return ask_for_link(client, "ada@example.com")


def can_sign_in(client: FlaskClient, password: str) -> bool:
    """Tell whether ada@example.com gets in with this password."""
    other = client.application.test_client()
    return other.post("/sign-in", data={"email": "ada@example.com", "password": password}).status_code == 303


def test_the_link_sets_a_new_password_once(client: FlaskClient, link: str) -> None:
    """The link works, and only once; then the old password does not work any more."""
    assert client.get(link).status_code == 200
    assert client.post(link, data={"password": NEW}).status_code == 303
    assert can_sign_in(client, NEW)
    assert not can_sign_in(client, PASSWORD)

    assert client.get(link).status_code == 410
    assert client.post(link, data={"password": "nine white bottles"}).status_code == 410
    assert can_sign_in(client, NEW)


def test_looking_does_not_use_the_link_up(client: FlaskClient, link: str) -> None:
    """Programs that open links in mails before the person does spoil nothing."""
    for _ in range(3):
        assert client.get(link).status_code == 200
    assert client.post(link, data={"password": NEW}).status_code == 303


def test_a_bad_password_does_not_use_the_link_up(client: FlaskClient, link: str) -> None:
    """Who is told to choose a better password can do so with the same link."""
    assert client.post(link, data={"password": "short"}).status_code == 422
    assert client.post(link, data={"password": NEW}).status_code == 303


def test_the_link_is_over_after_an_hour(client: FlaskClient, link: str) -> None:
    """A link found in an old mail is worth nothing."""
    with client.application.app_context(), writing() as session:
        session.execute(update(PasswordReset).values(expires_at=dt.datetime.now(dt.UTC)))
    assert client.get(link).status_code == 410
    assert client.post(link, data={"password": NEW}).status_code == 410
    assert can_sign_in(client, PASSWORD)


def test_all_links_end_when_one_is_used(client: FlaskClient, link: str) -> None:
    """Once a password is set, links of earlier mails are over too."""
    second = ask_for_link(client, "ada@example.com")
    assert client.post(second, data={"password": NEW}).status_code == 303
    assert client.get(link).status_code == 410


def test_the_new_password_ends_all_sessions(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """Whoever had got in with the old password is out."""
    make_user(email="ada@example.com")
    intruder = sign_in("ada@example.com", client=client.application.test_client())
    client.post(ask_for_link(client, "ada@example.com"), data={"password": NEW})
    assert intruder.get("/profile").status_code == 302


def test_nobody_is_told_whether_an_address_has_an_account(client: FlaskClient, make_user: MakeUser) -> None:
    """The answer is the same for every address; a mail goes only where there is an account."""
    make_user(email="ada@example.com")
    answers = [
        client.post("/forgot-password", data={"email": f"{name}@example.com"}) for name in ("ada", "nobody")
    ]

    assert answers[0].status_code == answers[1].status_code == 200
    assert without_tokens(answers[0].text) == without_tokens(answers[1].text)
    assert ["ada@example.com"] == [mail.to for mail in mails(client.application)]


def test_mail_and_job_are_there_together(client: FlaskClient, link: str) -> None:
    """The mail is queued with the job that delivers it, in one transaction."""
    (mail,) = mails(client.application)
    with client.application.app_context():
        (job,) = db.session.scalars(select(Job))
    assert ("app.mail.jobs.DeliverMailJob", "handle", [mail.id]) == (
        job.class_name,
        job.method,
        json.loads(job.parameters),
    )


def test_the_link_cannot_be_read_from_the_database(client: FlaskClient, link: str) -> None:
    """Only a hash of the link is kept with the account."""
    token = link.rpartition("/")[2]
    with client.application.app_context():
        kept = db.session.scalar(select(PasswordReset.token_hash)) or ""
    assert token not in kept
    assert len(kept) == 64


def test_the_link_leads_to_the_configured_address(client: FlaskClient, make_user: MakeUser) -> None:
    """A forged Host header does not send people's links to another site."""
    make_user(email="ada@example.com")
    client.post("/forgot-password", data={"email": "ada@example.com"}, headers={"Host": "evil.example"})
    (mail,) = mails(client.application)
    assert "evil.example" not in mail.text + mail.html + mail.message_id
    assert "http://course.example.org/reset-password/" in mail.html


def test_a_mailbox_cannot_be_flooded(client: FlaskClient, make_user: MakeUser) -> None:
    """More than three links in five minutes are refused, for addresses without account alike."""
    make_user(email="ada@example.com")
    for name in ("ada", "nobody"):
        answers = [client.post("/forgot-password", data={"email": f"{name}@example.com"}) for _ in range(4)]
        assert [200, 200, 200, 429] == [answer.status_code for answer in answers]
    assert len(mails(client.application)) == 3


@pytest.mark.parametrize("token", ["x", "a" * 5000, "..", "%E2%80%AE"])
def test_a_made_up_link_is_over(client: FlaskClient, token: str) -> None:
    """Whatever is tried in place of a link is answered like a link that is over."""
    assert client.get(f"/reset-password/{token}").status_code in {404, 410}
    with client.application.app_context():
        assert db.session.scalar(select(func.count()).select_from(PasswordReset)) == 0
