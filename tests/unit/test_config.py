"""What can be configured, and what is said about values that cannot be used."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from app.config import APPROVED, configure
from app.runner.errors import SettingsError
from app.secret_key import KeyFileError, development_key

if TYPE_CHECKING:
    from pathlib import Path

LONG_KEY = "k" * 32
PRODUCTION = {"PRODUCTION": True, "SECRET_KEY": LONG_KEY, "SITE_URL": "https://course.example.org"}


def configured(folder: Path, overrides: dict[str, Any] | None = None) -> Flask:
    """Give an application that was configured with its files under `folder`."""
    application = Flask("configured")
    folders = {"INSTANCE_PATH": str(folder / "instance"), "LOG_DIR": str(folder / "logs")}
    configure(application, folders | (overrides or {}))
    return application


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRODUCTION", "perhaps"),
        ("REGISTRATION_OPEN", "2"),
        ("MAIL_PORT", "smtp"),
        ("MAIL_PORT", 70000),
        ("MAIL_PORT", "\uff12\uff15"),
        ("MAIL_TIMEOUT_SECONDS", "-1"),
        ("MAIL_DEFAULT_SENDER", "nobody"),
        ("MAIL_DEFAULT_SENDER", "a@example.org\nBcc: b@example.org"),
        ("SITE_URL", "course.example.org"),
        ("SITE_URL", "ftp://course.example.org"),
        ("SITE_URL", "https://course.example.org/?x=1"),
        ("TRUSTED_HOSTS", "a,,b"),
        ("SQLALCHEMY_DATABASE_URI", "not a url"),
        ("SECRET_KEY", 12345),
        ("MAX_CONTENT_LENGTH", "2 MiB"),
        ("PASSWORD_ROUNDS", 0),
        ("RUNNER_APPROVED", "{"),
        ("INSTANCE_PATH", "/dev/null/instance"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_and_is_named(
    tmp_path: Path, name: str, value: object
) -> None:
    """A wrong setting stops start-up with one sentence that begins with its name."""
    with pytest.raises(SettingsError, match=rf"^{name}[: ]") as caught:
        configured(tmp_path, {name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"SECRET_KEY": "k" * 31}, "SECRET_KEY"),
        ({"SITE_URL": None}, "SITE_URL"),
        ({"SITE_URL": "http://course.example.org"}, "SITE_URL"),
        ({"DEBUG": True}, "DEBUG"),
    ],
)
def test_production_refuses_what_is_only_good_for_a_try(
    tmp_path: Path, overrides: dict[str, Any], name: str
) -> None:
    """In production there is no default for the key and the address, and no debugger."""
    with pytest.raises(SettingsError, match=f"^{name} "):
        configured(tmp_path, PRODUCTION | overrides)


def test_production_keeps_cookies_and_hosts_to_itself(tmp_path: Path) -> None:
    """Behind HTTPS the cookie is bound to the host, and other hosts' requests are refused."""
    config = configured(tmp_path, PRODUCTION).config

    assert config["SESSION_COOKIE_NAME"] == "__Host-session"
    assert config["SESSION_COOKIE_SECURE"] is True
    assert config["TRUSTED_HOSTS"] == ["course.example.org"]


def test_a_secret_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    """A message about a wrong secret does not show it: messages end up in logs."""
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, {"SQLALCHEMY_DATABASE_URI": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_the_environment_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of digits keeps its zeros, with the prefix and without."""
    monkeypatch.setenv("FLASK_MAIL_PASSWORD", "0123")
    monkeypatch.setenv("MAIL_USERNAME", "007")
    config = configured(tmp_path).config

    assert ("007", "0123") == (config["MAIL_USERNAME"], config["MAIL_PASSWORD"])


def test_who_is_nearer_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's value counts before FLASK_NAME, that before the plain name, that before the default."""
    monkeypatch.setenv("MAIL_SERVER", "plain.example.org")
    assert configured(tmp_path).config["MAIL_SERVER"] == "plain.example.org"

    monkeypatch.setenv("FLASK_MAIL_SERVER", "prefixed.example.org")
    assert configured(tmp_path).config["MAIL_SERVER"] == "prefixed.example.org"

    assert configured(tmp_path, {"MAIL_SERVER": None}).config["MAIL_SERVER"] is None


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@db/name", "postgresql+psycopg://u:p@db/name"),
        ("postgresql://db/name", "postgresql+psycopg://db/name"),
        ("mariadb://db/name", "mariadb+pymysql://db/name"),
        ("mysql+mysqldb://db/name", "mysql+mysqldb://db/name"),
    ],
)
def test_a_database_url_needs_no_driver(tmp_path: Path, given: str, used: str) -> None:
    """The URL that a provider hands out works as it is; a driver that is named is kept."""
    assert used == configured(tmp_path, {"SQLALCHEMY_DATABASE_URI": given}).config["SQLALCHEMY_DATABASE_URI"]


def test_the_approved_list_is_added_to_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handlers that the environment approves come on top of the site's own."""
    monkeypatch.setenv("FLASK_RUNNER_APPROVED", '{"mine.Job": ["run"]}')
    approved = configured(tmp_path).config["RUNNER_APPROVED"]
    assert {**APPROVED, "mine.Job": ["run"]} == approved


def test_folders_are_for_the_owner_only(tmp_path: Path) -> None:
    """Others on the machine cannot look into the folders with the key, the database and the logs."""
    (tmp_path / "logs").mkdir(mode=0o755)
    configured(tmp_path)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("instance", "logs")}
    assert {"instance": 0o700, "logs": 0o700} == modes


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    """The key is made once, however many start at the same moment, and nobody else may read it."""
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(development_key, [tmp_path] * 64))

    assert len(keys) == 1
    assert [tmp_path / "secret_key"] == list(tmp_path.iterdir())
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_damaged_key_file_is_not_used(tmp_path: Path) -> None:
    """A key file that holds too little is refused: signing with it would be signing with nothing."""
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(KeyFileError, match="remove the file"):
        development_key(tmp_path)
