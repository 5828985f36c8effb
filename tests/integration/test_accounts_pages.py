"""Making an account, one's own account, and the accounts of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEvent, User
from app.db import db
from tests.conftest import PASSWORD, MakeUser, SignIn

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "password": PASSWORD}


def account(application: Flask, email: str) -> User | None:
    """Give an account as the database has it now."""
    with application.app_context():
        user = db.session.scalar(select(User).where(User.email == email))
        if user is not None:
            db.session.expunge(user)
        return user


def audited(application: Flask, action: str) -> list[tuple[str, str | None, str | None]]:
    """Give who did this, and before and after, oldest first."""
    with application.app_context():
        columns = (AuditEvent.actor, AuditEvent.before, AuditEvent.after)
        rows = db.session.execute(select(*columns).where(AuditEvent.action == action).order_by(AuditEvent.id))
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "ada@", "That is not an e-mail address"),
        ("email", "ada@example.com\nBcc: all@example.com", "That is not an e-mail address"),
        ("email", "", "Enter your e-mail address."),
        ("first_name", "   ", "Enter your first name."),
        ("first_name", "A" * 101, "Use at most 100 characters."),
        ("last_name", "Love\u202elace", "Use letters that can be seen."),
        ("password", "lovelace1815", "among the first that others would try"),
        ("password", "7 chars", "Use at least 8 characters; this has 7."),
    ],
)
def test_a_field_that_will_not_do_says_why(
    client: FlaskClient, field: str, value: str, sentence: str
) -> None:
    """A form that comes back keeps what was typed and says what is wrong at the field itself."""
    response = client.post("/register", data=ADA | {field: value})

    assert response.status_code == 422
    assert sentence in response.text
    assert f'id="{field}-error"' in response.text
    assert PASSWORD not in response.text


@pytest.mark.parametrize("overrides", [{"REGISTRATION_OPEN": False}])
def test_registration_can_be_switched_off(client: FlaskClient) -> None:
    """A site whose staff makes the accounts lets nobody register, and offers it nowhere."""
    assert client.get("/register").status_code == 403
    assert client.post("/register", data=ADA).status_code == 403
    assert client.post("/register/x").status_code == 403
    assert "/register" not in client.get("/sign-in").text
    assert account(client.application, "ada@example.com") is None


def test_one_may_change_ones_name(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """A person's name is theirs to change, and the change is audited."""
    person = make_user()
    sign_in(person)
    response = client.post("/profile", data={"first_name": "Augusta", "last_name": " King ", "role": "admin"})

    assert response.status_code == 303
    changed = account(client.application, person.email)
    assert changed is not None
    assert ("Augusta King", "student") == (changed.full_name, changed.role)
    assert [(person.email, "Ada Lovelace", "Augusta King")] == audited(client.application, "renamed")


def test_a_new_password_signs_out_all_other_browsers(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """After a change of password only this browser is signed in, and only the new password works."""
    person = make_user()
    elsewhere = sign_in(person, client=client.application.test_client())
    sign_in(person)
    new = "eight brown bottles"
    response = client.post("/profile/password", data={"current_password": PASSWORD, "password": new})

    assert response.status_code == 303
    assert client.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    assert elsewhere.post("/sign-in", data={"email": person.email, "password": PASSWORD}).status_code == 422
    assert elsewhere.post("/sign-in", data={"email": person.email, "password": new}).status_code == 303
    assert [person.email] == [actor for actor, _, _ in audited(client.application, "password_changed")]


def test_the_current_password_is_asked_for_and_counted(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """Who sits down at an open browser cannot change the password, nor guess it there."""
    sign_in(make_user())
    form = {"current_password": "a guess", "password": "eight brown bottles"}
    answers = [client.post("/profile/password", data=form).status_code for _ in range(11)]
    assert [422] * 10 + [429] == answers


def test_an_admin_changes_a_role(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """An admin makes a student an instructor; it is audited with who, before and after."""
    admin, person = make_user("admin"), make_user()
    sign_in(admin)
    response = client.post(f"/admin/accounts/{person.id}/role", data={"role": "instructor"})

    assert response.status_code == 303
    changed = account(client.application, person.email)
    assert changed is not None
    assert changed.is_instructor
    assert [(admin.email, "student", "instructor")] == audited(client.application, "role_changed")


@pytest.mark.parametrize(("verb", "data"), [("disable", {}), ("role", {"role": "student"})])
def test_the_last_admin_stays(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn, verb: str, data: dict[str, str]
) -> None:
    """The only admin can neither be disabled nor demoted: nobody could undo it."""
    admin = make_user("admin")
    sign_in(admin)
    page = client.post(f"/admin/accounts/{admin.id}/{verb}", data=data, follow_redirects=True)

    assert "this is the only enabled admin" in page.text
    kept = account(client.application, admin.email)
    assert kept is not None
    assert (True, True) == (kept.is_admin, kept.is_enabled)


def test_disabling_is_undone_by_enabling(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """A disabled person cannot sign in, an enabled one can."""
    admin, person = make_user("admin"), make_user()
    sign_in(admin)
    other = client.application.test_client()
    form = {"email": person.email, "password": PASSWORD}

    client.post(f"/admin/accounts/{person.id}/disable")
    assert other.post("/sign-in", data=form).status_code == 422
    client.post(f"/admin/accounts/{person.id}/enable")
    assert other.post("/sign-in", data=form).status_code == 303


def test_an_account_that_is_not_there_cannot_be_changed(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """A number without an account is answered with 404, an unknown role with a sentence."""
    admin = make_user("admin")
    sign_in(admin)
    assert client.post("/admin/accounts/999/disable").status_code == 404
    page = client.post(f"/admin/accounts/{admin.id}/role", data={"role": "root"}, follow_redirects=True)
    assert "a role is one of admin, instructor, student" in page.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Ada Lovelace", "Grace Hopper", "100% Percent"]),
        ({"q": "hop"}, ["Grace Hopper"]),
        ({"q": "%"}, ["100% Percent"]),
        ({"q": "_"}, []),
        ({"role": "instructor"}, ["Grace Hopper"]),
        ({"q": "' OR 1=1 --"}, []),
        ({"page": "99999"}, []),
        ({"role": "root"}, ["Ada Lovelace", "Grace Hopper", "100% Percent"]),
    ],
)
def test_accounts_are_found_by_text_and_role(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn, query: dict[str, str], expected: list[str]
) -> None:
    """The list shows those that the text and the role match; what is typed is never a pattern."""
    sign_in(make_user("admin", email="root@example.org", first_name="Linus", last_name="Zuse"))
    make_user()
    make_user("instructor", first_name="Grace", last_name="Hopper")
    make_user(first_name="100%", last_name="Percent")
    page = client.get("/admin/accounts", query_string=query).text

    names = ["Ada Lovelace", "Grace Hopper", "100% Percent"]
    assert expected == [name for name in names if f'<th scope="row">{name}</th>' in page]


def test_a_name_is_text_wherever_it_is_shown(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """Markup in a name is shown as it was typed and does nothing."""
    sign_in(make_user("admin", first_name="<script>alert(1)</script>", last_name='"><img src=x>'))
    for address in ("/profile", "/admin/accounts", "/admin/audit"):
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "<img" not in page


def test_the_audit_page_goes_back_in_time(client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    """More rows than a page holds are reached page by page, newest first."""
    sign_in(make_user("admin"))
    for _ in range(55):
        make_user()
    first = client.get("/admin/audit").text
    assert first.count("account created") == 50
    older = first.partition("/admin/audit?before=")[2].partition('"')[0]
    assert client.get(f"/admin/audit?before={older}").text.count("account created") == 6
