"""Fixtures for everything that needs the site: an application of its own for each test.

No application context is pushed around a test: requests bring their own, and one that is already
there would be shared by all of them, together with who is signed in. Tests that look into the
database open one: `with application.app_context(): ...`.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest
from sqlalchemy import create_engine

from app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from app.accounts.models import User

PASSWORD: Final = "seven green bottles"


class MakeUser(Protocol):
    """Adds an account and gives it, detached from the database."""

    def __call__(  # noqa: D102 - said above
        self,
        role: str = "student",
        *,
        email: str | None = None,
        first_name: str = "Ada",
        last_name: str = "Lovelace",
    ) -> User: ...


class SignIn(Protocol):
    """Signs `client` in, as the person types it, and gives the client."""

    def __call__(self, person: User | str, *, client: FlaskClient = ...) -> FlaskClient: ...  # noqa: D102


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make all tables once; each test gets a copy of the file."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    application = create_app(settings(path.parent))
    engine = create_engine(f"sqlite:///{path}")
    with application.app_context():
        from app.db import db

        db.metadata.create_all(engine)
    engine.dispose()
    return path


def settings(folder: Path) -> dict[str, Any]:
    """Give the configuration of an application whose files are all in `folder`."""
    return {
        "TESTING": True,
        "SECRET_KEY": "a key for tests that is long enough",
        "INSTANCE_PATH": str(folder / "instance"),
        "LOG_DIR": str(folder / "logs"),
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'app.db'}",
        "WTF_CSRF_ENABLED": False,
        "MAIL_SERVER": None,
        "SITE_URL": "http://course.example.org",
        # As little work as argon2 allows.
        "PASSWORD_ROUNDS": 1,
        "PASSWORD_MEMORY_KIB": 8,
    }


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Settings of `application` that differ for one test: parametrise or redefine it."""
    return {}


@pytest.fixture
def application(tmp_path: Path, empty_database: Path, overrides: dict[str, Any]) -> Iterator[Flask]:
    """Build the whole site on a database of its own, all tables made."""
    shutil.copy(empty_database, tmp_path / "app.db")
    built = create_app(settings(tmp_path) | overrides)
    yield built
    with built.app_context():
        from app.db import db

        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(application: Flask) -> FlaskClient:
    """Give a browser that nobody has signed in with yet."""
    return application.test_client()


@pytest.fixture
def make_user(application: Flask) -> MakeUser:
    """Add accounts; their password is `PASSWORD`, their addresses count up: student1@example.com."""
    made: list[User] = []

    def make(
        role: str = "student",
        *,
        email: str | None = None,
        first_name: str = "Ada",
        last_name: str = "Lovelace",
    ) -> User:
        from app.accounts import passwords, users
        from app.db import db, writing

        address = email or f"{role}{len(made) + 1}@example.com"
        with application.app_context():
            password_hash = passwords.hash_password(PASSWORD)
            with writing() as session:
                user = users.create(
                    session,
                    email=address,
                    first_name=first_name,
                    last_name=last_name,
                    role=role,
                    password_hash=password_hash,
                )
            db.session.refresh(user)
            db.session.expunge(user)
        made.append(user)
        return user

    return make


@pytest.fixture
def sign_in(client: FlaskClient) -> SignIn:
    """Sign people in through the sign-in page."""

    def enter(person: User | str, *, client: FlaskClient = client) -> FlaskClient:
        email = person if isinstance(person, str) else person.email
        response = client.post("/sign-in", data={"email": email, "password": PASSWORD})
        assert response.status_code == 303, response.get_data(as_text=True)
        return client

    return enter
