"""Which mails a person wants: chosen on a page, ended with one click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.db import db, writing
from app.mail.models import MailPreference
from app.mail.preferences import preference_of, unsubscribe_url
from tests.web_routes import without_tokens

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from app.accounts.models import User
    from tests.conftest import MakeUser, SignIn

SITE = "http://course.example.org"


def link(application: Flask, user: User, ending: str = "grades") -> str:
    """Give the path that a mail to this person names."""
    with application.app_context(), writing() as session:
        return unsubscribe_url(preference_of(session, user.id), ending).removeprefix(SITE)


def chosen(application: Flask, user: User) -> tuple[str, str, str]:
    """Give what is kept of a person's choice."""
    with application.app_context():
        mine = db.session.get_one(MailPreference, user.id)
        return mine.receipts, mine.grades, mine.alarms


def actions(application: Flask) -> list[tuple[str, str, str | None]]:
    """Give what the audit log says of mail."""
    with application.app_context():
        rows = db.session.scalars(select(AuditEvent).where(AuditEvent.action.startswith("mail_")))
        return [(row.actor, row.action, row.after) for row in rows]


def test_a_student_chooses(application: Flask, make_user: MakeUser, sign_in: SignIn) -> None:
    """What is chosen is kept, shown again and audited; what is not on the page stays as it was."""
    student = make_user()
    browser = sign_in(student)
    assert 'id="receipts-every"' in browser.get("/profile/mail").text
    form = {"receipts": "ends", "grades": "digest", "alarms": "none"}
    assert 303 == browser.post("/profile/mail", data=form).status_code

    assert ("ends", "digest", "every") == chosen(application, student)
    page = " ".join(browser.get("/profile/mail").text.split())
    assert 'value="ends" checked' in page
    assert 'value="digest" checked' in page
    after = "receipts: ends, grades: digest, alarms: every"
    assert [(student.email, "mail_chosen", after)] == actions(application)


def test_staff_choose_about_alarms(application: Flask, make_user: MakeUser, sign_in: SignIn) -> None:
    """Who teaches is asked about alarms, and about nothing that only students get."""
    teacher = make_user("instructor")
    browser = sign_in(teacher)
    page = browser.get("/profile/mail").text
    assert 'id="alarms-digest"' in page
    assert "receipts-every" not in page
    browser.post("/profile/mail", data={"alarms": "digest"})
    assert ("every", "every", "digest") == chosen(application, teacher)


def test_what_there_is_not_cannot_be_chosen(application: Flask, make_user: MakeUser, sign_in: SignIn) -> None:
    """A made-up choice is refused and changes nothing."""
    student = make_user()
    assert 400 == sign_in(student).post("/profile/mail", data={"grades": "sometimes"}).status_code
    with application.app_context():
        assert db.session.get(MailPreference, student.id) is None


@pytest.mark.parametrize("overrides", [{"WTF_CSRF_ENABLED": True}])
def test_one_post_ends_mails_without_signing_in(
    application: Flask, client: FlaskClient, make_user: MakeUser
) -> None:
    """As RFC 8058 has it: a mail program posts to the link, with no cookie and no token of a form."""
    student = make_user()
    where = link(application, student)
    answer = client.post(where, data={"List-Unsubscribe": "One-Click"})

    assert 200 == answer.status_code
    assert ("every", "none", "every") == chosen(application, student)
    after = "receipts: every, grades: none, alarms: every"
    assert [("unsubscribe link", "mail_unsubscribed", after)] == actions(application)


def test_looking_ends_nothing(application: Flask, client: FlaskClient, make_user: MakeUser) -> None:
    """Mail scanners follow every link: GET shows a button and changes nothing."""
    student = make_user()
    where = link(application, student)
    page = client.get(where)
    assert 200 == page.status_code
    assert f'action="{where}"' in page.text
    assert ("every", "every", "every") == chosen(application, student)


def test_a_link_that_is_nobodys_is_answered_alike(
    application: Flask, client: FlaskClient, make_user: MakeUser
) -> None:
    """Neither page nor answer tells whether a token belongs to somebody."""
    true = link(application, make_user())
    false = f"{true[:-43]}{'x' * 43}"
    for ask in (client.get, client.post):
        real, made_up = ask(true), ask(false)
        assert real.status_code == made_up.status_code == 200
        assert without_tokens(real.text).replace(true, "") == without_tokens(made_up.text).replace(false, "")


def test_the_link_of_a_digest_ends_what_comes_in_it(
    application: Flask, client: FlaskClient, make_user: MakeUser
) -> None:
    """Who ends the digest gets none of what was in it; what comes at once still does."""
    student = make_user()
    where = link(application, student, "digest")
    with application.app_context(), writing() as session:
        preference_of(session, student.id).grades = "digest"
    client.post(where)
    assert ("every", "none", "every") == chosen(application, student)


def test_an_ending_that_there_is_not_is_not_found(client: FlaskClient) -> None:
    """Accounts cannot be ended, nor anything else that is not a kind of mail."""
    assert 404 == client.post("/mail/unsubscribe/account/x").status_code
