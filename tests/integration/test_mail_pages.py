"""The outbox as an admin sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.db import writing
from app.mail.models import OutboxMail
from app.mail.outbox import queue_mail

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn


def queue(application: Flask, key: str = "password-reset:1", **more: Any) -> int:
    """Put a mail into the outbox and give its number."""
    values: dict[str, Any] = {
        "kind": "password-reset",
        "to": "ada@example.com",
        "subject": "Set a new password",
        "template": "password_reset",
        "context": {"user": {"first_name": "Ada"}, "url": "http://course.example.org/reset/x", "minutes": 60},
    }
    with application.app_context(), writing() as session:
        mail = queue_mail(session, key=key, **(values | more))
        session.flush()
        return mail.id


@pytest.fixture
def admin(make_user: MakeUser, sign_in: SignIn) -> FlaskClient:
    """Give a browser in which an admin is signed in."""
    return sign_in(make_user("admin"))


def test_an_empty_outbox_says_what_will_come(admin: FlaskClient) -> None:
    """Before the first mail the page explains itself, and says that nothing leaves this site."""
    page = admin.get("/admin/outbox").text
    assert "No mail yet" in page
    assert "Mail is kept here: no MAIL_SERVER is set." in page


@pytest.mark.parametrize("overrides", [{"MAIL_SERVER": "mail.example.org"}])
def test_with_a_server_there_is_no_banner(admin: FlaskClient) -> None:
    """A site that sends its mail does not say that it keeps it."""
    assert "Mail is kept here" not in admin.get("/admin/outbox").text


def test_mails_are_listed_newest_first_and_by_status(application: Flask, admin: FlaskClient) -> None:
    """An admin finds the mails of one status; a status that no mail has says so."""
    first, second = queue(application, "a", subject="First"), queue(application, "b", subject="Second")
    with application.app_context(), writing() as session:
        mail = session.get_one(OutboxMail, first)
        mail.status, mail.error = "failed", "the mail server said 550 no such person"

    everything = admin.get("/admin/outbox").text
    assert 0 < everything.index(f"/admin/outbox/{second}") < everything.index(f"/admin/outbox/{first}")
    failed = admin.get("/admin/outbox?status=failed").text
    assert "550 no such person" in failed
    assert "Second" not in failed
    assert "No such mail" in admin.get("/admin/outbox?status=sent").text
    assert "Second" in admin.get("/admin/outbox?status=nonsense&before=x").text


def test_older_mails_are_a_page_away(application: Flask, admin: FlaskClient) -> None:
    """A long outbox is read page by page, and no mail is left out between two of them."""
    numbers = {queue(application, f"key:{number}") for number in range(53)}
    seen: set[int] = set()
    address = "/admin/outbox"
    while address:
        page = admin.get(address).text
        seen |= {number for number in numbers if f'"/admin/outbox/{number}"' in page}
        older = page.partition("/admin/outbox?before=")[2].partition('"')[0]
        address = f"/admin/outbox?before={older}" if older else ""
    assert numbers == seen


def test_a_mail_is_shown_as_it_looks_as_text_and_as_it_travels(
    application: Flask, admin: FlaskClient
) -> None:
    """The three views of a mail: in a frame without any power, its text, its source."""
    mail_id = queue(application, context={"user": {"first_name": "<Ada>"}, "url": "http://x/", "minutes": 60})

    looks = admin.get(f"/admin/outbox/{mail_id}")
    assert f'src="/admin/outbox/{mail_id}/body"' in looks.text
    assert "sandbox" in looks.text
    assert "frame-src 'self'" in looks.headers["Content-Security-Policy"]
    assert "Hello &lt;Ada&gt;," in admin.get(f"/admin/outbox/{mail_id}?tab=text").text
    source = admin.get(f"/admin/outbox/{mail_id}?tab=source").text
    assert "Message-ID: &lt;password-reset." in source
    assert "Content-Type: multipart/" in source


def test_the_body_of_a_mail_can_do_nothing(application: Flask, admin: FlaskClient) -> None:
    """The HTML of a mail runs no script, loads nothing and is framed by this site only."""
    body = admin.get(f"/admin/outbox/{queue(application)}/body")
    policy = body.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert body.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("address", ["/admin/outbox/999", "/admin/outbox/999/body", "/admin/outbox/x"])
def test_a_mail_that_is_not_there_is_not_found(admin: FlaskClient, address: str) -> None:
    """A number without a mail is answered with 404."""
    assert admin.get(address).status_code == 404


def test_a_view_that_is_not_there_is_not_found(application: Flask, admin: FlaskClient) -> None:
    """A tab that does not exist is answered with 404, not with another tab."""
    assert admin.get(f"/admin/outbox/{queue(application)}?tab=raw").status_code == 404
