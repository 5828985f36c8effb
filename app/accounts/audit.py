"""The audit log: one row for each change that somebody may ask about later."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from flask import has_request_context, request
from flask_login import current_user

from app.accounts.models import EMAIL_LENGTH, AuditEvent, utcnow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def record(
    session: Session,
    action: str,
    subject: str,
    *,
    before: str | None = None,
    after: str | None = None,
    actor: str | None = None,
) -> None:
    """Add one row, in the transaction of the change itself.

    `action` is in the past tense (`role_changed`), `subject` names the thing (`user:3`). Without
    an `actor` it is whoever is signed in.
    """
    session.add(
        AuditEvent(
            at=utcnow(),
            actor=(actor or current_actor())[:EMAIL_LENGTH],
            address=_address()[:64],
            action=action,
            subject=subject,
            before=before,
            after=after,
        )
    )


def current_actor() -> str:
    """Name who is acting: a person's address, `anonymous`, or `cli:<user of the machine>`."""
    if has_request_context():
        return current_user.email if current_user.is_authenticated else "anonymous"
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _address() -> str:
    return (request.remote_addr or "unknown") if has_request_context() else "cli"
