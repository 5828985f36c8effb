"""Signing in and out, and how long a session lives."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import func, select, update

from app import create_app
from app.accounts import passwords, users
from app.accounts.models import AuditEvent, LoginAttempt, SignedInSession, User
from app.db import db, writing
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.web_routes import without_tokens

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


def try_to_sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"email": email, "password": password}, **more)


def is_signed_in(client: FlaskClient) -> bool:
    """Tell whether this browser is let in."""
    return client.get("/profile").status_code == 200


def test_the_right_password_signs_in(client: FlaskClient, make_user: MakeUser) -> None:
    """A person who gives address and password is let in, however the address is written."""
    make_user(email="ada@example.com")
    response = try_to_sign_in(client, " Ada@Example.com ")

    assert (303, "/") == (response.status_code, response.location)
    assert is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_read_the_same(
    client: FlaskClient, make_user: MakeUser
) -> None:
    """The answer does not tell whether an address has an account, nor whether it is disabled."""
    known, disabled = make_user(), make_user()
    change(client.application, disabled, is_enabled=False)

    answers = {
        (response.status_code, without_tokens(response.get_data(as_text=True)).replace(email, ""))
        for email, password in [
            (known.email, "x" * 9),
            ("nobody@example.com", PASSWORD),
            (disabled.email, PASSWORD),
        ]
        for response in [try_to_sign_in(client, email, password)]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 422


@pytest.mark.parametrize("overrides", [{"PASSWORD_ROUNDS": 2, "PASSWORD_MEMORY_KIB": 64}])
def test_an_unknown_address_costs_the_same_work(application: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account a password is checked all the same, against a hash of the same cost."""
    checked: list[str] = []
    verify = PasswordHasher.verify

    def noted(hasher: PasswordHasher, known: str, given: str) -> bool:
        checked.append(known)
        return bool(verify(hasher, known, given))

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    with application.app_context():
        known = passwords.hash_password(PASSWORD)
        passwords.verify(known, "wrong password")
        passwords.verify(None, "wrong password")

    assert 2 == len(checked)
    assert extract_parameters(checked[0]) == extract_parameters(checked[1])


def test_signing_out_ends_the_session_for_good(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """A copy of the cookie, kept aside, is worth nothing after signing out."""
    sign_in(make_user())
    copied = cookie_of(client)
    assert client.post("/sign-out").status_code == 303

    thief = client.application.test_client()
    thief.set_cookie("session", copied)
    assert not is_signed_in(thief)


def test_signing_in_makes_a_new_session(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """Nothing that was in the browser's session before is carried into the one of the person."""
    with client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
        planted["_user_id"] = "chosen by somebody else"
    sign_in(make_user())

    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["_user_id"] != "chosen by somebody else"


def cookie_of(client: FlaskClient) -> str:
    """Give the value of the session's cookie."""
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def change(application: Flask, person: User, **verb: Any) -> None:
    """Do to an account what an admin would."""
    with application.app_context():
        password_hash = passwords.hash_password("another good one")
        with writing() as session:
            user = session.get_one(User, person.id)
            if "role" in verb:
                users.set_role(session, user, verb["role"])
            elif "password" in verb:
                users.set_password(session, user, password_hash)
            else:
                users.set_enabled(session, user, **verb)


@pytest.mark.parametrize("verb", [{"role": "instructor"}, {"password": "new"}, {"is_enabled": False}])
def test_a_change_of_the_account_ends_its_sessions(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn, verb: dict[str, Any]
) -> None:
    """Whoever is signed in while role or password change, or the account is disabled, is signed out."""
    person = make_user()
    sign_in(person)
    change(client.application, person, **verb)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("role", "column", "age", "is_in"),
    [
        ("student", "last_seen_at", dt.timedelta(hours=7), True),
        ("student", "last_seen_at", dt.timedelta(hours=9), False),
        ("admin", "last_seen_at", dt.timedelta(minutes=29), True),
        ("admin", "last_seen_at", dt.timedelta(minutes=31), False),
        ("student", "created_at", dt.timedelta(hours=11), True),
        ("student", "created_at", dt.timedelta(hours=13), False),
    ],
)
def test_a_session_ends_by_itself(
    client: FlaskClient,
    make_user: MakeUser,
    sign_in: SignIn,
    role: str,
    column: str,
    age: dt.timedelta,
    *,
    is_in: bool,
) -> None:
    """Staff are signed out after half an hour of nothing, students after eight, everybody after twelve."""
    sign_in(make_user(role))
    with client.application.app_context(), writing() as session:
        session.execute(update(SignedInSession).values({column: dt.datetime.now(dt.UTC) - age}))

    assert is_in == is_signed_in(client)


def test_being_there_is_written_down_once_a_minute(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """A page that polls keeps its session alive, and does not write to the database each time."""
    sign_in(make_user())
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)

    def seen() -> dt.datetime | None:
        with client.application.app_context():
            return db.session.scalar(select(SignedInSession.last_seen_at))

    first = seen()
    client.get("/profile")
    assert first == seen()

    with client.application.app_context(), writing() as session:
        session.execute(update(SignedInSession).values(last_seen_at=long_ago))
    client.get("/profile")
    assert seen() != long_ago


def test_the_role_is_read_on_every_request(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """A role that is taken away in the database is gone with the next click."""
    person = make_user("admin")
    sign_in(person)
    assert client.get("/admin/accounts").status_code == 200

    with client.application.app_context(), writing() as session:
        session.execute(update(User).values(role="student"))
    assert client.get("/admin/accounts").status_code == 403


def test_the_cookie_is_for_the_browser_only(client: FlaskClient, make_user: MakeUser) -> None:
    """Scripts cannot read the session's cookie and other sites cannot send it along."""
    response = try_to_sign_in(client, make_user().email)
    flags = set(response.headers["Set-Cookie"].split("; ")[1:])
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} == flags


@pytest.mark.parametrize("overrides", [{"SITE_URL": "https://course.example.org"}])
def test_the_cookie_stays_on_https(client: FlaskClient, make_user: MakeUser) -> None:
    """A site with an https address never sends its cookie in the clear, and binds it to its host."""
    response = try_to_sign_in(client, make_user().email, base_url="https://course.example.org")
    name, _, rest = response.headers["Set-Cookie"].partition("=")
    assert name == "__Host-session"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} == set(rest.split("; ")[1:])


def test_the_eleventh_attempt_waits_with_the_right_password_too(
    client: FlaskClient, make_user: MakeUser
) -> None:
    """Ten wrong passwords in five minutes close an account's door for a while, from wherever they came."""
    person = make_user()
    for number in range(10):
        wrong = try_to_sign_in(
            client, person.email, "wrong", environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}
        )
        assert wrong.status_code == 422

    refused = try_to_sign_in(client, person.email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300


def test_ten_addresses_from_one_place_are_enough(client: FlaskClient, make_user: MakeUser) -> None:
    """One place cannot go through many accounts with one password; elsewhere people still get in."""
    person = make_user()
    for number in range(10):
        try_to_sign_in(client, f"guess{number}@example.com")

    assert try_to_sign_in(client, person.email).status_code == 429
    assert try_to_sign_in(client, person.email, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 303


def test_one_household_of_ipv6_is_one_place(client: FlaskClient) -> None:
    """Changing the host part of an IPv6 address does not start a new count."""
    for number in range(10):
        place = {"REMOTE_ADDR": f"2001:db8:0:1::{number + 1:x}"}
        try_to_sign_in(client, f"guess{number}@example.com", environ_base=place)

    last = try_to_sign_in(client, "guess@example.com", environ_base={"REMOTE_ADDR": "2001:db8:0:1:ffff::1"})
    assert last.status_code == 429


def test_the_door_opens_again_by_itself(client: FlaskClient, make_user: MakeUser) -> None:
    """Nobody is locked out for good: after five minutes the attempts no longer count."""
    person = make_user()
    for _ in range(11):
        try_to_sign_in(client, person.email, "wrong")
    with client.application.app_context(), writing() as session:
        session.execute(
            update(LoginAttempt).values(at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5, seconds=1))
        )

    assert try_to_sign_in(client, person.email).status_code == 303


def test_who_knows_the_password_is_never_counted(client: FlaskClient, make_user: MakeUser) -> None:
    """A whole class may sign in from behind one address."""
    for person in [make_user() for _ in range(12)]:
        other = client.application.test_client()
        assert try_to_sign_in(other, person.email).status_code == 303


def test_all_processes_share_the_count(application: Flask, make_user: MakeUser) -> None:
    """The count is in the database: a second process does not give ten more attempts."""
    person = make_user()
    second = create_app({name: application.config[name] for name in SHARED})
    clients = [application.test_client(), second.test_client()]
    for number in range(10):
        try_to_sign_in(clients[number % 2], person.email, "wrong")

    assert [429, 429] == [try_to_sign_in(client, person.email).status_code for client in clients]
    with second.app_context():
        db.engine.dispose()


SHARED = (
    "TESTING",
    "SECRET_KEY",
    "INSTANCE_PATH",
    "LOG_DIR",
    "SQLALCHEMY_DATABASE_URI",
    "WTF_CSRF_ENABLED",
    "PASSWORD_ROUNDS",
    "PASSWORD_MEMORY_KIB",
)


def test_passwords_are_hashed_with_todays_parameters_at_the_next_sign_in(
    application: Flask, make_user: MakeUser
) -> None:
    """When the parameters are raised, a stored hash follows as soon as its password is known again."""
    person = make_user()
    application.config["PASSWORD_ROUNDS"] = 3
    try_to_sign_in(application.test_client(), person.email)

    with application.app_context():
        stored = db.session.scalar(select(User.password_hash).where(User.id == person.id)) or ""
    assert stored.startswith("$argon2id$v=19$m=8,t=3,p=1$")


def test_what_was_typed_is_not_kept(client: FlaskClient) -> None:
    """A password typed into the wrong field does not end up in the database."""
    try_to_sign_in(client, "hunter2 is my password", "hunter2")
    with client.application.app_context():
        kept = [
            str(vars(row))
            for model in (LoginAttempt, AuditEvent)
            for row in db.session.scalars(select(model))
        ]
    assert kept
    assert not [row for row in kept if "hunter2" in row]


def test_signing_in_is_audited(client: FlaskClient, make_user: MakeUser) -> None:
    """Each sign-in and each refused one leaves a row: who, from where."""
    person = make_user()
    try_to_sign_in(client, person.email, "wrong")
    try_to_sign_in(client, person.email)

    with client.application.app_context():
        rows = db.session.execute(
            select(AuditEvent.action, AuditEvent.actor, AuditEvent.address, AuditEvent.subject).order_by(
                AuditEvent.id
            )
        ).all()
    assert [
        ("sign_in_failed", "anonymous", "127.0.0.1", f"user:{person.id}"),
        ("signed_in", person.email, "127.0.0.1", f"user:{person.id}"),
    ] == [tuple(row) for row in rows[1:]]


def test_an_audit_row_cannot_be_changed(application: Flask, make_user: MakeUser) -> None:
    """The audit log only grows: changing or removing a row is refused."""
    make_user()
    with application.app_context():
        event = db.session.scalars(select(AuditEvent)).first()
        assert event is not None
        event.actor = "somebody else"
        with pytest.raises(PermissionError):
            db.session.commit()
        db.session.rollback()
        db.session.delete(event)
        with pytest.raises(PermissionError):
            db.session.commit()


def test_sessions_past_their_time_are_removed(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """The table of sessions does not grow for ever."""
    person = make_user()
    sign_in(person)
    with client.application.app_context(), writing() as session:
        session.execute(
            update(SignedInSession).values(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        )
    sign_in(person, client=client.application.test_client())

    with client.application.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignedInSession)) == 1


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\r\nX: y"])
def test_signing_in_never_leads_to_another_site(
    client: FlaskClient, make_user: MakeUser, target: str
) -> None:
    """A link to the sign-in page cannot send people elsewhere afterwards."""
    person = make_user()
    page = client.get("/sign-in", query_string={"next": target})
    assert page.status_code == 200
    response = client.post("/sign-in", data={"email": person.email, "password": PASSWORD, "next": target})
    assert response.location == "/"


def test_after_signing_in_one_is_where_one_wanted_to_be(client: FlaskClient, make_user: MakeUser) -> None:
    """A page that needs an account leads to the sign-in page and from there to itself."""
    person = make_user()
    asked = client.get("/profile?tab=password")
    assert (302, "/sign-in?next=/profile?tab%3Dpassword") == (asked.status_code, asked.location)

    response = client.post(
        "/sign-in", data={"email": person.email, "password": PASSWORD, "next": "/profile?tab=password"}
    )
    assert response.location == "/profile?tab=password"
