"""The demo data and the password of its accounts: made at the first start, not again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ACCOUNTS: Final = ("admin@example.com", "instructor@example.com", "student@example.com")
# No letter that looks like another: it is read off a terminal and typed into a page.
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def make_demo(instance: Path, environment: Mapping[str, str], flask: Callable[..., str]) -> str | None:
    """Make the demo data unless it was made before; give the password if it was made now."""
    made = instance / "demo-data-made"
    if made.exists():
        return None
    password = environment.get("FLASK_TEST_PASSWORD") or environment.get("TEST_PASSWORD") or new_password()
    print("Making the demo data", flush=True)
    said = flask({**environment, "TEST_PASSWORD": password}, "academic", "demo")
    made.touch()
    return None if "nothing was made" in said else password


def new_password() -> str:
    """Make up a password that nobody guesses."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def welcome(url: str, password: str | None) -> str:
    """Give what the person who started the site reads."""
    first, *others = ACCOUNTS
    said = f"password  {password}" if password else "with the password shown at the first start"
    lines = [
        "",
        f"  The course site is at  {url}",
        f"  Background jobs        {url}/background-jobs  (sign in as admin)",
        "",
        f"  Sign in as  {first:<24}  {said}",
        *(f"              {account}" for account in others),
        "",
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines) + "\n"
