"""What every response carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from app.config import CONTENT_SECURITY_POLICY
from tests.web_routes import calls

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.wrappers import Response

    from tests.conftest import MakeUser, SignIn

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def missing(response: Response) -> list[str]:
    """Give what a response lacks of what all of them carry."""
    lacks = [name for name, value in ALWAYS.items() if response.headers.get(name) != value]
    policy = response.headers.get("Content-Security-Policy", "")
    lacks += [word for word in ("default-src 'none'", "frame-ancestors") if word not in policy]
    lacks += [name for name in ("Permissions-Policy", "X-Frame-Options") if name not in response.headers]
    lacks += ["no script of others"] if "unsafe-eval" in policy or "script-src *" in policy else []
    return lacks


def test_every_route_carries_every_header(application: Flask, make_user: MakeUser, sign_in: SignIn) -> None:
    """Pages, fragments, redirects, files and errors, for strangers and admins: none lacks a header."""
    browsers = [application.test_client(), sign_in(make_user("admin"))]
    lacks = {
        (method, path): missing(answer)
        for browser in browsers
        for method, path, endpoint in calls(application)
        if endpoint != "accounts.sign_out"
        for answer in [browser.open(path, method=method, buffered=True)]
    }
    assert {} == {call: names for call, names in lacks.items() if names}


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/sign-in", "/admin/accounts", "/static/style.css", "/static/x"]
)
def test_errors_and_files_carry_them_too(client: FlaskClient, path: str) -> None:
    """Also what is not there, and what is not for this person."""
    with client.get(path) as response:
        assert [] == missing(response)


def test_pages_run_no_script_but_ours(client: FlaskClient) -> None:
    """The policy has no exception: nothing inline, nothing from elsewhere, no eval."""
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    assert policy == CONTENT_SECURITY_POLICY
    assert "unsafe" not in policy


def test_pages_are_kept_nowhere(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """A page that was made for a person is not stored by browsers or proxies; our files may be."""
    sign_in(make_user("admin"))
    for path in ("/profile", "/admin/accounts", "/admin/outbox"):
        assert client.get(path).headers["Cache-Control"] == "no-store"
    with client.get("/static/style.css") as file:
        assert file.headers.get("Cache-Control") != "no-store"


def test_page_and_fragment_are_told_apart(client: FlaskClient) -> None:
    """A cache knows that the answer depends on the person and on whether a fragment was asked for."""
    assert {"hx-request", "cookie"} <= set(client.get("/sign-in").vary.as_set())


def test_https_is_kept(client: FlaskClient) -> None:
    """Browsers that came by HTTPS once never come without; on plain HTTP nothing is promised."""
    secure = client.get("/sign-in", base_url="https://course.example.org")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers


def test_only_its_own_script_and_style_are_loaded(client: FlaskClient) -> None:
    """A page names no script or style of another site and holds none of its own inline."""
    page = client.get("/sign-in").text
    assert "<script>" not in page
    assert "<style" not in page
    assert ' style="' not in page
    assert "//" not in "".join(part.partition('"')[0] for part in page.split('src="')[1:])
