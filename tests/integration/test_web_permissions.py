"""Every route of the site, walked as those who may not use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.web_routes import calls

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn

# What strangers may see; everything else asks them to sign in.
PUBLIC: Final = {
    "static",
    "accounts.sign_in",
    "accounts.sign_out",
    "accounts.register",
    "accounts.confirm",
    "accounts.forgot",
    "accounts.reset",
    "runner_healthz",
    "unsubscribe.ask",
    "unsubscribe.end",
}
# Mail programs send it by themselves (RFC 8058) and know no token of ours; it can end mails and no more.
WITHOUT_TOKEN: Final = {"unsubscribe.end"}
ADMIN_ONLY: Final = ("/admin", "/background-jobs")


def test_a_stranger_is_asked_to_sign_in_everywhere(application: Flask, client: FlaskClient) -> None:
    """What is not on the short list of public pages sends strangers to the sign-in page."""
    answers = {
        (method, path): client.open(path, method=method)
        for method, path, endpoint in calls(application)
        if endpoint not in PUBLIC
    }
    assert {} == {
        call: (answer.status_code, answer.location)
        for call, answer in answers.items()
        if not (answer.status_code in {302, 303} and (answer.location or "").startswith("/sign-in"))
    }


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_what_is_for_admins_is_for_nobody_else(
    application: Flask, make_user: MakeUser, sign_in: SignIn, role: str
) -> None:
    """Every page and every verb of the admin's area is refused to students and instructors."""
    browser = sign_in(make_user(role))
    admin_calls = [(method, path) for method, path, _ in calls(application) if path.startswith(ADMIN_ONLY)]
    assert len(admin_calls) > 6
    answers = {call: browser.open(call[1], method=call[0]).status_code for call in admin_calls}
    assert dict.fromkeys(admin_calls, 403) == answers


def test_asking_for_a_fragment_grants_nothing(
    application: Flask, make_user: MakeUser, sign_in: SignIn
) -> None:
    """The header that asks for a fragment opens no door."""
    browser = sign_in(make_user())
    for method, path, _ in calls(application):
        if path.startswith(ADMIN_ONLY):
            assert browser.open(path, method=method, headers={"HX-Request": "true"}).status_code == 403


@pytest.mark.parametrize("overrides", [{"WTF_CSRF_ENABLED": True}])
def test_nothing_is_changed_without_the_token(application: Flask, client: FlaskClient) -> None:
    """Every request that may change something is refused without this site's own token."""
    answers = {
        (method, path): client.open(path, method=method).status_code
        for method, path, endpoint in calls(application)
        if method != "GET" and endpoint not in WITHOUT_TOKEN
    }
    assert answers
    assert dict.fromkeys(answers, 400) == answers


@pytest.mark.parametrize("overrides", [{"WTF_CSRF_ENABLED": True}])
def test_the_token_of_the_page_opens_the_form(client: FlaskClient) -> None:
    """A form sent from a page of this site is accepted, by its field or by the header htmx sends."""
    page = client.get("/sign-in").text
    token = page.partition('<meta name="csrf-token" content="')[2].partition('"')[0]
    form = {"email": "nobody@example.com", "password": "x"}

    assert client.post("/sign-in", data=form | {"csrf_token": token}).status_code == 422
    assert client.post("/sign-in", data=form, headers={"X-CSRFToken": token}).status_code == 422
    stranger = client.application.test_client()
    assert stranger.post("/sign-in", data=form | {"csrf_token": token}).status_code == 400


def test_nothing_is_changed_by_looking(application: Flask) -> None:
    """No address takes GET and a verb's name: links and images cannot act for a person."""
    verbs = {"delete", "cancel", "retry", "start", "hold", "release", "disable", "enable", "sign-out", "role"}
    assert [] == [
        path for method, path, _ in calls(application) if method == "GET" and path.split("/")[-1] in verbs
    ]


def test_a_fragment_after_signing_out_takes_the_page_along(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """A page that polls when its session is over goes to the sign-in page and can come back."""
    sign_in(make_user("admin"))
    assert client.get("/admin/accounts").status_code == 200
    client.post("/sign-out")
    here = {"HX-Request": "true", "HX-Current-URL": "http://localhost/admin/accounts?q=ada#top"}

    answer = client.get("/admin/accounts", headers=here)
    assert (401, "/sign-in?next=/admin/accounts?q%3Dada") == (
        answer.status_code,
        answer.headers["HX-Redirect"],
    )
