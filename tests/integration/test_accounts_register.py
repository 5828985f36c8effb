"""Registering: nobody learns which addresses have an account."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import select, update

from app.accounts import passwords
from app.accounts.models import Registration, User
from app.db import db, writing
from app.mail.models import OutboxMail
from app.runner.models import Job
from tests.web_routes import without_tokens

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser

ADA: Final = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "password": "seven green bottles",
}
# A site that sends mail, if to nowhere: no job runs in these tests.
WITH_MAIL: Final = {"MAIL_SERVER": "mail.example.org"}

with_mail = pytest.mark.parametrize("overrides", [WITH_MAIL])
both_ways = pytest.mark.parametrize("overrides", [WITH_MAIL, {"MAIL_SERVER": None}], ids=["mail", "no mail"])


def mails(application: Flask) -> list[OutboxMail]:
    """Give the mails of the outbox, oldest first."""
    with application.app_context():
        found = list(db.session.scalars(select(OutboxMail).order_by(OutboxMail.id)))
        for mail in found:
            db.session.expunge(mail)
        return found


def users(application: Flask) -> list[tuple[str, str]]:
    """Give all accounts: address and role."""
    with application.app_context():
        return [(user.email, user.role) for user in db.session.scalars(select(User).order_by(User.id))]


def link(application: Flask) -> str:
    """Give the path in the latest mail."""
    found = re.search(r"http://course\.example\.org(/register/\S+)", mails(application)[-1].text)
    assert found is not None
    return found[1]


@both_ways
def test_the_page_does_not_tell_whether_an_address_is_taken(client: FlaskClient, make_user: MakeUser) -> None:
    """Status and page are the same to the letter, also for an address that is written in another way."""
    make_user(email="taken@example.com")
    taken = client.post("/register", data=ADA | {"email": "Taken@example.com"})
    free = client.post("/register", data=ADA)

    assert taken.status_code == free.status_code == 200
    assert without_tokens(taken.text) == without_tokens(free.text)


@both_ways
def test_a_taken_address_costs_the_same_work(
    client: FlaskClient, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the time, hashing, is done for both, and each queues one mail."""
    make_user(email="taken@example.com")
    hashed: list[str] = []
    hash_password = passwords.hash_password

    def counted(password: str) -> str:
        hashed.append(password)
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", counted)
    client.post("/register", data=ADA | {"email": "taken@example.com"})
    client.post("/register", data=ADA)
    assert 2 == len(hashed)
    assert ["taken@example.com", "ada@example.com"] == [mail.to for mail in mails(client.application)]


@both_ways
def test_the_owner_is_told(application: Flask, client: FlaskClient, make_user: MakeUser) -> None:
    """The account stays as it was; its owner reads that somebody tried, and what to do."""
    make_user("instructor", email="taken@example.com")
    client.post("/register", data=ADA | {"email": "taken@example.com", "first_name": "Mallory"})

    [mail] = mails(application)
    assert ("taken@example.com", "address-taken") == (mail.to, mail.kind)
    assert "Mallory" not in mail.text + mail.html
    assert "http://course.example.org/forgot-password" in mail.text
    assert [("taken@example.com", "instructor")] == users(application)
    with application.app_context():
        assert f"[{mail.id}]" == db.session.scalar(select(Job.parameters))


@with_mail
def test_the_link_makes_the_account_once(application: Flask, client: FlaskClient) -> None:
    """There is no account before the link is used; then there is one, a student's, and it is signed in."""
    client.post("/register", data=ADA | {"role": "admin", "is_enabled": "1"})
    assert [] == users(application)
    where = link(application)
    assert "Make my account" in client.get(where).text
    assert [] == users(application)

    assert 303 == client.post(where).status_code
    assert [("ada@example.com", "student")] == users(application)
    assert "Ada Lovelace" in client.get("/profile").text
    client.post("/sign-out")
    assert 410 == client.post(where).status_code
    assert 303 == client.post("/sign-in", data=ADA).status_code


@with_mail
def test_nobody_signs_in_before_the_address_is_theirs(client: FlaskClient) -> None:
    """Who does not read the mail of an address cannot tell by signing in either."""
    client.post("/register", data=ADA)
    assert 422 == client.post("/sign-in", data=ADA).status_code


@with_mail
def test_the_link_is_over_after_a_day(application: Flask, client: FlaskClient) -> None:
    """A link that was not used for a day makes no account, and its row goes with the next one's."""
    client.post("/register", data=ADA)
    where = link(application)
    with application.app_context(), writing() as session:
        over = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        session.execute(update(Registration).values(expires_at=over))
    assert 410 == client.get(where).status_code
    assert 410 == client.post(where).status_code
    client.post("/register", data=ADA)
    with application.app_context():
        assert 1 == len(db.session.scalars(select(Registration)).all())


@with_mail
def test_of_two_links_one_makes_the_account(application: Flask, client: FlaskClient) -> None:
    """Who registers twice has two links; the account is what the used one said, the other is over."""
    client.post("/register", data=ADA)
    first = link(application)
    client.post("/register", data=ADA | {"first_name": "Augusta"})
    second = link(application)
    assert 303 == client.post(second).status_code
    client.post("/sign-out")
    assert 410 == client.post(first).status_code
    assert [("ada@example.com", "student")] == users(application)


def test_without_mail_the_account_is_there_at_once(application: Flask, client: FlaskClient) -> None:
    """Where nobody could read a link, who registers signs in with what they typed."""
    assert "Now sign in" in client.post("/register", data=ADA).text
    assert [("ada@example.com", "student")] == users(application)
    assert 303 == client.post("/sign-in", data=ADA).status_code


@with_mail
def test_a_mailbox_is_not_flooded(client: FlaskClient) -> None:
    """The sixth registration of an address within five minutes waits."""
    answers = [client.post("/register", data=ADA).status_code for _ in range(6)]
    assert [200] * 5 + [429] == answers


@with_mail
def test_the_link_cannot_be_read_from_the_database(application: Flask, client: FlaskClient) -> None:
    """Only a hash of it is kept, and the mail that holds it is a secret."""
    client.post("/register", data=ADA)
    token = link(application).rpartition("/")[2]
    with application.app_context():
        [asked] = db.session.scalars(select(Registration))
        assert token not in (asked.token_hash, asked.password_hash)
    assert mails(application)[-1].is_secret
