"""Secrets are kept for the job and shown to nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runner.redact import MASK, is_secret, mask, redacted, scrub


class Handler:
    """Takes secrets by place and by name."""

    def sign_in(self, name: str, password: str = "", *tokens: str) -> None:
        """Take a few."""

    def greet(self, name: str) -> None:
        """Take none."""


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "new_password",
        "passwd",
        "passphrase",
        "token",
        "access_token",
        "secret",
        "client_secret",
        "api_key",
        "apikey",
        "API-KEY".replace("-", "_"),
        "private_key",
        "access_key_id",
        "key",
        "authorization",
    ],
)
def test_names_that_are_taken_for_secrets(name: str) -> None:
    """Whoever names a parameter so means a secret."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["name", "text", "keyboard", "monkey", "passage", "", "id", "author"])
def test_names_that_are_not(name: str) -> None:
    """Ordinary parameters stay readable."""
    assert not is_secret(name)


def test_secrets_are_masked_at_any_depth() -> None:
    """A secret inside of lists and objects is found, whatever kind of value it is."""
    given = {"a": [{"password": "hunter2", "b": {"token": ["hunter2", {"c": "hunter2"}]}}], "key": 7}

    assert {"a": [{"password": MASK, "b": {"token": MASK}}], "key": MASK} == mask(given)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        (["ada", "hunter2"], ["ada", MASK]),
        (["ada", "hunter2", "t1", "t2"], ["ada", MASK, MASK, MASK]),
        ({"name": "ada", "password": "hunter2"}, {"name": "ada", "password": MASK}),
        ([{"password": "hunter2"}], [{"password": MASK}]),
    ],
)
def test_secrets_are_found_by_place_too(parameters: Any, shown: Any) -> None:
    """A positional parameter has the name that the signature gives it."""
    assert shown == json.loads(redacted(Handler.sign_in, parameters) or "null")


@pytest.mark.parametrize("parameters", [[], ["ada"], {"name": "ada"}])
def test_without_secrets_nothing_is_stored_twice(parameters: Any) -> None:
    """What needs no hiding has no second text."""
    assert redacted(Handler.greet, parameters) is None


@pytest.mark.parametrize("parameters", [["ada", "hunter2"], {"name": "ada", "password": "hunter2"}])
def test_secrets_are_scrubbed_from_errors(parameters: Any) -> None:
    """A handler that puts a secret into its error has it taken out again."""
    said = scrub("could not log in ada with hunter2 (hunter2)", Handler.sign_in, parameters)

    assert "could not log in ada with *** (***)" == said


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=30))
def test_a_secret_is_found_however_it_is_quoted(secret: str) -> None:
    """Errors and tracebacks quote values: escapes must not hide a secret from its mask."""
    ways = [secret, repr(secret), ascii(secret), json.dumps(secret), f"{ {'p': secret} }"]

    for text in ways:
        said = scrub(f"<<{text}>>", Handler.sign_in, {"password": secret})
        assert MASK in said
        assert MASK in secret or secret in MASK or secret not in said


def test_a_secret_within_a_secret_leaves_no_rest() -> None:
    """The longer one is taken first, or its tail would remain."""
    said = scrub("hunter2long", None, {"password": "hunter2", "token": "hunter2long"})

    assert MASK == said


def test_words_too_short_to_be_secrets_stay() -> None:
    """Masking every "a" would make an error unreadable and hide nothing."""
    assert "a bad day" == scrub("a bad day", None, {"password": "a"})
