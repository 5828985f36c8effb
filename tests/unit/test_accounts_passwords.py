"""Which passwords are accepted."""

from __future__ import annotations

import pytest

from app.accounts.passwords import password_problem


@pytest.mark.parametrize(
    "password",
    [
        "short 7",
        "password",
        "Password1!",
        "P@ssw0rd2024",
        "12345678",
        "87654321",
        "aaaaaaaa",
        "abababab",
        "qwertyuiop",
        "asdfghjkl",
        "monkeymonkey",
        "1q2w3e4r5t",
        "lovelace",
        "Lovelace1815",
        "ada.lovelace",
        "x" * 1001,
    ],
)
def test_what_others_would_try_first_is_refused(password: str) -> None:
    """Short, common and personal passwords get a sentence that says why."""
    assert password_problem(password, personal=["ada.lovelace@example.com", "Ada", "Lovelace"])


@pytest.mark.parametrize(
    "password",
    [
        "seven green bottles",
        "correct horse battery staple",
        "žluťoučký kůň",
        "пароль для входа",
        "🔑🗝️🚪🏠🌲🌊☀️🌙",
        "tr0ub4dor&3x",
        "  spaces count  ",
        "x1" * 64 + "yz",
    ],
)
def test_anything_else_is_accepted(password: str) -> None:
    """Any characters will do, up to a length no person types, and without rules about kinds of letters."""
    assert password_problem(password, personal=["ada@example.com"]) is None
