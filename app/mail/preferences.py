"""Which mails a person wants: chosen on a page, or ended with one click in a mail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.mail.models import CHOICES, SCOPES, MailPreference, utcnow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# What a link in a mail can end: one of the scopes, or everything that comes as a digest.
ENDINGS: Final = (*SCOPES, "digest")


class BadChoice(ValueError):
    """Something was chosen that there is not; the message names what and lists what there is."""


def preference_of(session: Session, user_id: int) -> MailPreference:
    """Give the person's row; made at the first mail, since that needs the link that ends it."""
    known = session.get(MailPreference, user_id)
    if known is not None:
        return known
    made = MailPreference(
        user_id=user_id,
        token=secrets.token_urlsafe(32),
        **dict.fromkeys(SCOPES, "every"),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        return session.get_one(MailPreference, user_id)
    return made


def choose(session: Session, user_id: int, **choices: str) -> tuple[str, str]:
    """Keep what a person chose, and give it in words as it was before and is now."""
    for scope, choice in choices.items():
        if scope not in SCOPES or choice not in CHOICES:
            raise BadChoice(f"{scope}: choose one of {', '.join(CHOICES)}, not {choice[:20]!r}")
    preference = preference_of(session, user_id)
    before = words(preference)
    for scope, choice in choices.items():
        setattr(preference, scope, choice)
    preference.changed_at = utcnow()
    return before, words(preference)


def unsubscribe(session: Session, token: str, ending: str) -> MailPreference | None:
    """End what the link says; None for a token that nobody has."""
    found = session.scalar(select(MailPreference).where(MailPreference.token == token))
    if found is None:
        return None
    for scope in SCOPES:
        if ending == scope or (ending == "digest" and getattr(found, scope) == "digest"):
            setattr(found, scope, "none")
    found.changed_at = utcnow()
    return found


def unsubscribe_url(preference: MailPreference, ending: str) -> str:
    """Give the address that a mail names for ending mails of its kind."""
    return f"{current_app.config['SITE_URL']}/mail/unsubscribe/{ending}/{preference.token}"


def words(preference: MailPreference) -> str:
    """Give all choices in one line, for the audit log."""
    return ", ".join(f"{scope}: {getattr(preference, scope)}" for scope in SCOPES)
