"""Addresses that a mail server refused: flagged, so that people see why nothing arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from app.mail.models import RefusedAddress, utcnow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def flag(session: Session, address: str, reason: str) -> None:
    """Note that nobody can be reached there, and what the server said."""
    session.merge(RefusedAddress(address=address.lower(), reason=reason, refused_at=utcnow()))


def clear(session: Session, address: str) -> None:
    """Forget it: a mail arrived."""
    session.execute(delete(RefusedAddress).where(RefusedAddress.address == address.lower()))


def refused(session: Session, addresses: Collection[str]) -> dict[str, RefusedAddress]:
    """Give those of the addresses that were refused."""
    found = select(RefusedAddress).where(RefusedAddress.address.in_([each.lower() for each in addresses]))
    return {row.address: row for row in session.scalars(found)}
