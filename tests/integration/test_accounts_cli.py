"""`flask accounts ...` as an operator types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PASSWORD, MakeUser, SignIn

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask
    from flask.testing import FlaskClient

ADA = ["--email", "Ada@example.com", "--first-name", "Ada", "--last-name", "Lovelace"]


def accounts(application: Flask, *words: str) -> Result:
    """Run `flask accounts` with these words."""
    return application.test_cli_runner().invoke(args=["accounts", *words])


def can_sign_in(application: Flask, email: str, password: str) -> bool:
    """Tell whether the address and the password let somebody in."""
    response = application.test_client().post("/sign-in", data={"email": email, "password": password})
    return response.status_code == 303


def test_an_account_is_made_with_the_password_given(application: Flask) -> None:
    """An operator makes an account, and its person signs in with the password that was chosen."""
    result = accounts(application, "create", *ADA, "--role", "admin", "--password", PASSWORD)
    assert (0, "Made account ada@example.com (admin).\n") == (result.exit_code, result.output)
    assert can_sign_in(application, "ada@example.com", PASSWORD)


def test_a_password_is_made_up_and_printed_once(application: Flask) -> None:
    """Without a password one is made up; it works, and is printed."""
    result = accounts(application, "create", *ADA, "--role", "instructor")
    password = result.output.rpartition(": ")[2].strip()
    assert len(password) == 16
    assert can_sign_in(application, "ada@example.com", password)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", *ADA, "--role", "root"], "'root' is not one of 'admin', 'instructor', 'student'"),
        (
            ["create", *ADA, "--role", "student", "--password", "password1"],
            "password: That is among the first",
        ),
        (["create", *ADA[:2], "--role", "student"], "Missing option '--first-name'"),
        (["create", "--email", "x", *ADA[2:], "--role", "student"], "'x' is not an e-mail address"),
        (
            ["create", *ADA[:4], "--last-name", " ", "--role", "student"],
            "the last name must have 1 to 100 characters",
        ),
        (
            ["create", "--email", "taken@example.com", *ADA[2:], "--role", "student"],
            "there is an account taken@",
        ),
        (["set-role", "nobody@example.com", "admin"], "there is no account nobody@example.com"),
        (["set-password", "nobody@example.com"], "there is no account nobody@example.com"),
        (["disable", "nobody@example.com"], "there is no account nobody@example.com"),
        (["disable", "taken@example.com"], "this is the only enabled admin"),
        (["set-role", "taken@example.com", "student"], "this is the only enabled admin"),
    ],
)
def test_what_cannot_be_done_gets_one_sentence(
    application: Flask, make_user: MakeUser, words: list[str], sentence: str
) -> None:
    """Bad input ends with exit code 2 and says what was wrong; nothing is changed."""
    make_user("admin", email="taken@example.com")
    before = accounts(application, "list", "--json").output
    result = accounts(application, *words)

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert before == accounts(application, "list", "--json").output


def test_accounts_are_listed_for_people_and_programs(application: Flask, make_user: MakeUser) -> None:
    """The list is a table, or JSON when a program asks."""
    assert "There are no accounts yet" in accounts(application, "list").output

    person = make_user(first_name="[bold]", last_name="Markup")
    rows = json.loads(accounts(application, "list", "--json").output)
    assert [
        {
            "id": person.id,
            "email": person.email,
            "name": "[bold] Markup",
            "role": "student",
            "is_enabled": True,
        }
    ] == rows
    table = accounts(application, "list").output
    assert "[bold]" in table
    assert "…" not in table


def test_verbs_end_sessions_like_the_pages_do(
    client: FlaskClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """What an operator changes at the command line holds in open browsers at once."""
    make_user("admin")
    person = make_user()
    for words in (["set-role", person.email, "instructor"], ["disable", person.email]):
        sign_in(person)
        assert accounts(client.application, *words).exit_code == 0
        assert client.get("/profile").status_code == 302
    assert accounts(client.application, "enable", person.email).exit_code == 0

    assert (
        accounts(
            client.application, "set-password", person.email, "--password", "eight brown bottles"
        ).exit_code
        == 0
    )
    assert not can_sign_in(client.application, person.email, PASSWORD)
    assert can_sign_in(client.application, person.email, "eight brown bottles")
