"""What the site can be told: defaults, then the environment, then what the caller gives.

Every setting can be given as `FLASK_<NAME>`; those that other tools name as well (`MAIL_SERVER`,
`SECRET_KEY`, ...) under their plain name too. The runner's own `RUNNER_*` are checked by the runner.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.runner.errors import SettingsError
from app.secret_key import MINIMUM_BYTES, KeyFileError, development_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

ROOT: Final = Path(__file__).resolve().parent.parent

# The handlers that may run on this site, and how. The environment may add to it, never replace it.
APPROVED: Final[dict[str, Any]] = {
    "app.academic.jobs.AutomatedGradingJob": {"methods": ["handle"], "timeout": 600},
    "app.academic.jobs.RegradeSubmissionJob": {"methods": ["handle"], "timeout": 600},
    "app.academic.jobs.NotifyStudentOfSubmissionJob": {"methods": ["handle"], "timeout": 120},
    "app.academic.jobs.GenerateAnalyticsReportJob": {"methods": ["handle"], "timeout": 300},
    "app.academic.jobs.CheckForPlagiarismJob": {"methods": ["handle"], "timeout": 600},
    "app.academic.jobs.CompareClassJob": {"methods": ["handle"], "timeout": 1800},
    "app.academic.mail_jobs.SendGradeMailJob": {"methods": ["handle"], "timeout": 120},
    "app.academic.mail_jobs.SendFinalMailJob": {"methods": ["handle"], "timeout": 120},
    "app.academic.mail_jobs.SendDigestsJob": {"methods": ["handle"], "timeout": 300},
    "app.academic.mail_jobs.WatchGradingJob": {"methods": ["handle"], "timeout": 120},
    "app.academic.jobs.CheckAssignmentJob": {"methods": ["handle"], "timeout": 300},
    # A mail server that says "not now" is asked for most of a day: see app/mail/delivery.py.
    "app.mail.jobs.DeliverMailJob": {"methods": ["handle"], "timeout": 80, "retries": 19},
}

# What the site does by the clock. The environment may add to it, change an entry, or end one with null.
SCHEDULES: Final[dict[str, Any]] = {
    "mail-digests": {"cron": "0 17 * * *", "class": "app.academic.mail_jobs.SendDigestsJob"},
    "watch-grading": {
        "cron": "*/5 * * * *",
        "class": "app.academic.mail_jobs.WatchGradingJob",
        "priority": 1,
        "missed": "skip",
    },
}

# No inline script or style anywhere, so the policy needs no exception.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

_DRIVERS: Final = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}

_WORDS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _text(value: Any) -> str:
    if not isinstance(value, (str, Path)):
        raise ValueError("must be a text")  # noqa: TRY004 - all readers raise one kind of error
    return str(value).strip()


def _switch(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise ValueError("must be on or off (1, true, yes, on, 0, false, no, off)")
    return _WORDS[word]


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        if not (text.isascii() and text.isdecimal()) or not least <= int(text[:20]) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def _url(value: Any) -> str:
    url = _text(value).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be the site's address, like https://course.example.org")
    return url


def _names(value: Any) -> list[str]:
    given = value if isinstance(value, (list, tuple)) else str(value).split(",")
    names = [str(name).strip() for name in given]
    if not all(names):
        raise ValueError("must be host names separated by commas")
    return names


def _database(value: Any) -> str:
    try:
        url = make_url(_text(value))
    except ArgumentError:
        raise ValueError(
            "must be a database URL, like sqlite:////srv/app.db or postgresql://host/name"
        ) from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername)).render_as_string(
        hide_password=False
    )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of the site: how it is read, what it is by default, and whether its plain name counts."""

    read: Callable[[Any], Any] = _text
    default: Any = None
    is_plain: bool = False


SETTINGS: Final[dict[str, Setting]] = {
    "PRODUCTION": Setting(read=_switch, default=False, is_plain=True),
    "SECRET_KEY": Setting(is_plain=True),
    "INSTANCE_PATH": Setting(default=str(ROOT / "instance")),
    "LOG_DIR": Setting(default=str(ROOT / "logs")),
    "SQLALCHEMY_DATABASE_URI": Setting(read=_database),
    "SITE_URL": Setting(read=_url, is_plain=True),
    "TRUSTED_HOSTS": Setting(read=_names),
    # How many proxies of one's own stand in front; only so many X-Forwarded-* are believed.
    "PROXY_COUNT": Setting(read=_whole(0, 10), default=0),
    "REGISTRATION_OPEN": Setting(read=_switch, default=True),
    "TEST_PASSWORD": Setting(is_plain=True),
    "MAIL_SERVER": Setting(is_plain=True),
    "MAIL_PORT": Setting(read=_whole(1, 65535), default=25, is_plain=True),
    "MAIL_USERNAME": Setting(is_plain=True),
    "MAIL_PASSWORD": Setting(is_plain=True),
    "MAIL_USE_TLS": Setting(read=_switch, default=False, is_plain=True),
    "MAIL_USE_SSL": Setting(read=_switch, default=False, is_plain=True),
    "MAIL_DEFAULT_SENDER": Setting(is_plain=True),
    # For each step of the conversation with the mail server.
    "MAIL_TIMEOUT_SECONDS": Setting(read=_whole(1, 60), default=15),
    "MAX_CONTENT_LENGTH": Setting(read=_whole(1024, 2**31), default=2 * 1024 * 1024),
    "MAX_FORM_MEMORY_SIZE": Setting(read=_whole(1024, 2**31), default=500_000),
    "MAX_FORM_PARTS": Setting(read=_whole(1, 10_000), default=50),
    # Signed in, doing nothing: staff see other people's data, so they are signed out sooner.
    "SESSION_IDLE_STAFF_SECONDS": Setting(read=_whole(60, 86_400), default=30 * 60),
    "SESSION_IDLE_STUDENT_SECONDS": Setting(read=_whole(60, 86_400), default=8 * 3600),
    "SESSION_MAXIMUM_SECONDS": Setting(read=_whole(60, 7 * 86_400), default=12 * 3600),
    # Argon2id; OWASP's floor, 28 ms on our machine.
    "PASSWORD_ROUNDS": Setting(read=_whole(1, 100), default=2),
    "PASSWORD_MEMORY_KIB": Setting(read=_whole(8, 4 * 1024 * 1024), default=19 * 1024),
}


def configure(application: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Fill `application.config`, and make the two folders it speaks of.

    Raises `SettingsError` with one sentence that names the setting which cannot be used.
    """
    config = application.config
    config.from_prefixed_env()
    given = dict(overrides or {})
    config.update(given)
    for name, setting in SETTINGS.items():
        config[name] = _value(name, setting, given)
    _add_approved(config)
    _prepare_folders(application)
    _settle_site(config)
    _settle_key(config)
    _settle_mail(config)
    _settle_cookies(config)


def _value(name: str, setting: Setting, given: Mapping[str, Any]) -> Any:
    """Find the setting: given by the caller, by the environment, or its default; and read it."""
    raw = given.get(name) if name in given else _from_environment(name, is_plain=setting.is_plain)
    if raw is None or raw == "":
        return setting.default
    try:
        return setting.read(raw)
    except ValueError as error:
        shown = "" if name in {"SECRET_KEY", "SQLALCHEMY_DATABASE_URI"} else f", not {raw!r}"
        raise SettingsError(f"{name} {error}{shown}") from None


def _from_environment(name: str, *, is_plain: bool) -> str | None:
    # Flask would read FLASK_MAIL_PASSWORD=0123 as JSON and lose the zero: ours are read as they are.
    prefixed = os.environ.get(f"FLASK_{name}")
    return prefixed if prefixed is not None or not is_plain else os.environ.get(name)


def _add_approved(config: dict[str, Any]) -> None:
    config["RUNNER_APPROVED"] = _added("RUNNER_APPROVED", config, APPROVED)
    schedules = _added("RUNNER_SCHEDULES", config, SCHEDULES)
    if isinstance(schedules, dict):
        schedules = {name: entry for name, entry in schedules.items() if entry is not None}
    config["RUNNER_SCHEDULES"] = schedules
    config.setdefault("RUNNER_LAYOUT", "base.html")
    # Who hands in at a deadline must not wait for the grading of others: jobs give way to requests.
    config.setdefault("RUNNER_NICE", 10)
    config.setdefault("RUNNER_LOG_DIR", config["LOG_DIR"])
    config.setdefault("RUNNER_WAKE_DIR", config["INSTANCE_PATH"])


def _added(name: str, config: dict[str, Any], ours: Mapping[str, Any]) -> Any:
    """Give what is ours with what was added to it; the runner says what is wrong with the rest."""
    added = config.get(name) or {}
    if isinstance(added, str):
        try:
            added = json.loads(added)
        except ValueError:
            raise SettingsError(f"{name} must be JSON, not {added!r}") from None
    return {**ours, **added} if isinstance(added, dict) else added


def _prepare_folders(application: Flask) -> None:
    config = application.config
    for name in ("INSTANCE_PATH", "LOG_DIR"):
        config[name] = str(Path(config[name]).absolute())
        _private_folder(name, Path(config[name]))
    application.instance_path = config["INSTANCE_PATH"]
    database = config["SQLALCHEMY_DATABASE_URI"] or f"sqlite:///{Path(config['INSTANCE_PATH'], 'app.db')}"
    config["SQLALCHEMY_DATABASE_URI"] = database


def _private_folder(name: str, folder: Path) -> None:
    """Make it readable for nobody else: it holds the key, the database, what people wrote."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"{name}: {folder} cannot be used as a folder ({error.strerror})") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"{name}: {folder} cannot be written to")


def _settle_site(config: dict[str, Any]) -> None:
    if config["PRODUCTION"]:
        if not str(config["SITE_URL"] or "").startswith("https://"):
            raise SettingsError(
                "SITE_URL must be the site's https:// address in production: links in mails are made from it"
            )
        if config.get("DEBUG"):
            raise SettingsError("DEBUG must be off in production: it lets visitors run code")
        config["TRUSTED_HOSTS"] = config["TRUSTED_HOSTS"] or [urlsplit(config["SITE_URL"]).hostname]
    config["SITE_URL"] = config["SITE_URL"] or "http://127.0.0.1:8000"


def _settle_key(config: dict[str, Any]) -> None:
    if config["SECRET_KEY"] is None:
        if config["PRODUCTION"]:
            raise SettingsError(
                "SECRET_KEY must be set in production, to something like the output of: openssl rand -hex 32"
            )
        try:
            config["SECRET_KEY"] = development_key(Path(config["INSTANCE_PATH"]))
        except KeyFileError as error:
            raise SettingsError(f"SECRET_KEY: {error}") from None
    elif config["PRODUCTION"] and len(config["SECRET_KEY"].encode()) < MINIMUM_BYTES:
        raise SettingsError(f"SECRET_KEY must have at least {MINIMUM_BYTES} bytes in production")


def _settle_mail(config: dict[str, Any]) -> None:
    if config["MAIL_USE_TLS"] and config["MAIL_USE_SSL"]:
        raise SettingsError(
            "MAIL_USE_TLS and MAIL_USE_SSL exclude each other: STARTTLS or TLS from the start"
        )
    if bool(config["MAIL_USERNAME"]) != bool(config["MAIL_PASSWORD"]):
        raise SettingsError("MAIL_USERNAME and MAIL_PASSWORD must be given together")
    host = urlsplit(config["SITE_URL"]).hostname
    sender = config["MAIL_DEFAULT_SENDER"] or f"no-reply@{host if not _is_number(host) else 'localhost'}"
    if "@" not in sender or not sender.isprintable():
        raise SettingsError(f"MAIL_DEFAULT_SENDER must be an address like course@example.org, not {sender!r}")
    config["MAIL_DEFAULT_SENDER"] = sender
    # The tests speak to a real mail server of their own; nothing is to be left out for them.
    config.setdefault("MAIL_SUPPRESS_SEND", False)


def _is_number(host: str | None) -> bool:
    return host is None or ":" in host or host.replace(".", "").isdecimal()


def _settle_cookies(config: dict[str, Any]) -> None:
    is_secure = config["SITE_URL"].startswith("https://")
    config.update(
        SESSION_COOKIE_NAME="__Host-session" if is_secure else "session",
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        CONTENT_SECURITY_POLICY=CONTENT_SECURITY_POLICY,
    )
    # A dashboard is left open for hours; the token ends with the session anyway.
    config.setdefault("WTF_CSRF_TIME_LIMIT", None)
