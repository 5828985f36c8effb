"""`flask accounts ...`: accounts from the command line."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.accounts import passwords, users
from app.accounts.models import ROLES, User
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

accounts_cli = AppGroup("accounts", help="Make accounts and change what they may do.")

_role = click.Choice(ROLES)


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except users.AccountError as error:
        raise click.UsageError(str(error)) from None


def _settle_password(password: str | None, *personal: str) -> tuple[str, str]:
    """Give the password, made up if none was given, and its hash."""
    chosen = password if password is not None else secrets.token_urlsafe(12)
    problem = passwords.password_problem(chosen, personal=personal)
    if problem:
        raise click.UsageError(f"password: {problem}")
    return chosen, passwords.hash_password(chosen)


@accounts_cli.command()
@click.option("--email", required=True, help="The address they sign in with.")
@click.option("--role", type=_role, required=True)
@click.option("--first-name", required=True)
@click.option("--last-name", required=True)
@click.option("--password", help="Without it one is made up and printed, once.")
def create(email: str, role: str, first_name: str, last_name: str, password: str | None) -> None:
    """Make an account."""
    chosen, password_hash = _settle_password(password, email, first_name, last_name)
    with _said_plainly(), writing() as session:
        user = users.create(
            session,
            email=email,
            first_name=first_name,
            last_name=last_name,
            role=role,
            password_hash=password_hash,
        )
        click.echo(f"Made account {user.email} ({user.role}).")
    if password is None:
        click.echo(f"Password, shown only now: {chosen}")


@accounts_cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_accounts(*, as_json: bool) -> None:
    """List all accounts."""
    found = db.session.scalars(select(User).order_by(User.role, User.last_name, User.first_name, User.id))
    rows = [
        {
            "id": user.id,
            "email": user.email,
            "name": user.full_name,
            "role": user.role,
            "is_enabled": user.is_enabled,
        }
        for user in found
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for title in ("Id", "E-mail", "Name", "Role", "Can sign in"):
        # An address that is cut off could not be copied into the next command.
        table.add_column(title, overflow="fold")
    for row in rows:
        enabled = "yes" if row["is_enabled"] else "no"
        table.add_row(*(Text(str(row[name])) for name in ("id", "email", "name", "role")), enabled)
    Console().print(table if rows else "There are no accounts yet: flask accounts create --help")


@accounts_cli.command("set-role")
@click.argument("email")
@click.argument("role", type=_role)
def set_role(email: str, role: str) -> None:
    """Change what the person may do; their sessions end."""
    with _said_plainly(), writing() as session:
        users.set_role(session, users.get(session, email), role)
    click.echo(f"{email} is now {role}.")


@accounts_cli.command("set-password")
@click.argument("email")
@click.option("--password", help="Without it one is made up and printed, once.")
def set_password(email: str, password: str | None) -> None:
    """Give the person another password; their sessions end."""
    chosen, password_hash = _settle_password(password, email)
    with _said_plainly(), writing() as session:
        users.set_password(session, users.get(session, email), password_hash)
    click.echo(f"{email} has another password.")
    if password is None:
        click.echo(f"Password, shown only now: {chosen}")


@accounts_cli.command()
@click.argument("email")
def disable(email: str) -> None:
    """Let the person no longer sign in; their work stays."""
    _set_enabled(email, is_enabled=False)
    click.echo(f"{email} can no longer sign in.")


@accounts_cli.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the person sign in again."""
    _set_enabled(email, is_enabled=True)
    click.echo(f"{email} can sign in.")


def _set_enabled(email: str, *, is_enabled: bool) -> None:
    with _said_plainly(), writing() as session:
        users.set_enabled(session, users.get(session, email), is_enabled=is_enabled)
