"""What people see when something is refused, missing or broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from app import create_app
from app.runner.errors import SettingsError
from app.web.startup import StartupError
from tests.conftest import MakeUser, SignIn, settings

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

TOP = Path(__file__).parents[2]
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def accident(application: Flask, client: FlaskClient) -> str:
    """Give the address of a view that breaks, on a site that is really in use."""

    def broken() -> NoReturn:
        raise RuntimeError("hunter2 is in /srv/secret")

    application.add_url_rule("/broken", "broken", broken)
    application.config["PROPAGATE_EXCEPTIONS"] = False
    return "/broken"


def test_an_accident_shows_a_number_and_nothing_else(
    client: FlaskClient, accident: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The page of an accident tells no details; its number finds the traceback in the log."""
    answer = client.get(accident)
    found = re.search(r"<code>([0-9a-f]{12})</code>", answer.text)

    assert answer.status_code == 500
    assert found is not None
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert f"error {found[1]} at '/broken' [GET]" in caplog.text
    assert "hunter2" in caplog.text


def test_an_accident_in_a_fragment_is_a_notice(client: FlaskClient, accident: str) -> None:
    """The page that asked for the fragment stays, and says above it what happened."""
    answer = client.get(accident, headers=FRAGMENT)
    assert answer.status_code == 500
    assert ("#flashes", "innerHTML") == (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"])
    assert "<html" not in answer.text
    assert "notice is-error" in answer.text


def test_the_page_appears_without_a_database(application: Flask, client: FlaskClient, tmp_path: Path) -> None:
    """When even the frame of the site cannot be made, a page without it is shown."""
    application.config["PROPAGATE_EXCEPTIONS"] = False
    client.set_cookie("session", signed(application, {"_user_id": "x"}))
    (tmp_path / "app.db").write_bytes(b"this is no database")

    answer = client.get("/profile")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "stylesheet" not in answer.text


def signed(application: Flask, content: dict[str, Any]) -> str:
    """Sign a session's cookie as the site does."""
    serializer = application.session_interface.get_signing_serializer(application)  # type: ignore[attr-defined]
    return str(serializer.dumps(content))


@pytest.mark.parametrize(
    ("path", "method", "status", "sentence"),
    [
        ("/nowhere", "GET", 404, "There is nothing here"),
        ("/sign-out", "GET", 405, "That cannot be done this way"),
        ("/admin/accounts", "GET", 403, "This is not for your account"),
    ],
)
def test_what_is_refused_says_what_to_do(
    client: FlaskClient,
    make_user: MakeUser,
    sign_in: SignIn,
    path: str,
    method: str,
    status: int,
    sentence: str,
) -> None:
    """An error is a page of this site with a sentence, or a notice for a fragment."""
    sign_in(make_user())
    page, notice = client.open(path, method=method), client.open(path, method=method, headers=FRAGMENT)

    assert [status, status] == [page.status_code, notice.status_code]
    assert sentence in page.text
    assert "Sign out" in page.text
    assert sentence in notice.text
    assert "<html" not in notice.text


def test_what_may_be_sent_has_a_limit(client: FlaskClient) -> None:
    """More than 2 MiB is refused with a page that says the limit."""
    answer = client.post("/sign-in", data={"email": "x" * (2 * 1024 * 1024 + 1)})
    assert answer.status_code == 413
    assert "2,048 KiB" in answer.text


def test_too_many_fields_are_refused(client: FlaskClient) -> None:
    """A form of thousands of parts is not even read to its end."""
    parts = {f"field{number}": "x" for number in range(51)}
    answer = client.post("/sign-in", data=parts, content_type="multipart/form-data")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/\xff", ""),
        (b"/sign-in\x00", ""),
        (b"/\xed\xa0\x80", ""),
        (b"/a\xc0\xae", ""),
        (b"/sign-in", "next=%ff"),
        (b"/sign-in", "next=%00"),
        (b"/sign-in", "%c3%28=1"),
    ],
)
def test_an_address_that_is_not_text_is_refused(client: FlaskClient, path: bytes, query: str) -> None:
    """Bytes that are not UTF-8, and NUL, go no further than the door."""
    # As a web server hands them over: bytes in the guise of Latin-1.
    raw = {"PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query}
    assert client.get("/", environ_overrides=raw).status_code == 400


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_with_a_nul_is_refused(client: FlaskClient, kind: str) -> None:
    """PostgreSQL cannot keep a NUL; it is refused before it gets there."""
    form = {"email": "a\x00@example.com", "password": "x"}
    assert client.post("/sign-in", data=form, content_type=kind).status_code == 400


@pytest.mark.parametrize("path", ["/sign-in?next=%E2%9C%93", "/sign-in?next=/%C3%A9"])
def test_text_of_any_language_is_welcome(client: FlaskClient, path: str) -> None:
    """What is text is let through, whatever the language."""
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("overrides", [{"TRUSTED_HOSTS": "course.example.org, localhost"}])
def test_another_host_is_refused(client: FlaskClient) -> None:
    """A forged Host is answered with 400; what proxies claim is not believed unless they are ours."""
    assert client.get("/sign-in").status_code == 200
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/sign-in", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize("overrides", [{"PROXY_COUNT": 1}])
def test_our_own_proxy_is_believed_and_no_other(application: Flask, client: FlaskClient) -> None:
    """Behind one proxy the last address of X-Forwarded-For counts; what came before is anybody's word."""
    seen: list[str | None] = []

    def look() -> str:
        from flask import request

        seen.append(request.remote_addr)
        return ""

    application.add_url_rule("/look", "look", look)
    client.get("/look", headers={"X-Forwarded-For": "192.0.2.66, 198.51.100.7"})
    assert ["198.51.100.7"] == seen


def test_a_setting_that_cannot_be_used_stops_the_command_line(tmp_path: Path) -> None:
    """The command line shows one sentence and ends with 2; other programs can catch the runner's error."""
    with pytest.raises(StartupError, match=r"^MAIL_PORT must be") as caught:
        create_app(settings(tmp_path) | {"MAIL_PORT": "smtp"})
    assert isinstance(caught.value, SettingsError)
    assert (2, str(caught.value)) == (caught.value.exit_code, caught.value.format_message())


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FLASK_MAIL_PORT", "smtp", "MAIL_PORT must be a whole number from 1 to 65535, not 'smtp'"),
        ("FLASK_RUNNER_SLOTS", "-1", "RUNNER_SLOTS must be"),
        ("PRODUCTION", "1", "SITE_URL must be the site's https:// address in production"),
    ],
)
def test_a_command_with_a_setting_that_cannot_be_used_ends_with_2(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    """Who starts the site with a wrong variable reads one sentence on stderr, and no traceback."""
    folders = {"FLASK_INSTANCE_PATH": str(tmp_path / "instance"), "FLASK_LOG_DIR": str(tmp_path / "logs")}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "accounts", "list"],
        cwd=TOP,
        env=os.environ | folders | {variable: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"Error: {sentence}")
    assert len(done.stderr.splitlines()) == 1
