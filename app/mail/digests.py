"""Digests: what somebody wants to be told once a day, kept until then and sent as one mail."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, text

from app.db import writing
from app.mail.delivery import send_later
from app.mail.models import DigestItem
from app.mail.outbox import queue_mail
from app.mail.preferences import preference_of, unsubscribe_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

# One mail is not to hold more; what is left comes in another one.
MOST_ITEMS: Final = 200
# So many people a transaction: others want to write too.
_PEOPLE: Final = 50


def add_item(
    session: Session, *, key: str, user_id: int, scope: str, title: str, fact: str, path: str
) -> None:
    """Keep something for the person's next digest; the same `key` again is the same news."""
    if session.scalar(select(DigestItem.id).where(DigestItem.dedupe_key == key)) is None:
        item = DigestItem(
            dedupe_key=key, user_id=user_id, scope=scope, title=title[:300], fact=fact, path=path
        )
        session.add(item)
        session.flush()


def send_digests() -> int:
    """Queue a mail for everybody who has something to read, and give how many; again, it sends nothing."""
    sent = 0
    while made := _some():
        sent += made
    return sent


def _some() -> int:
    with writing() as session:
        people = session.scalars(
            select(DigestItem.user_id).distinct().order_by(DigestItem.user_id).limit(_PEOPLE)
        ).all()
        items = session.scalars(
            select(DigestItem)
            .where(DigestItem.user_id.in_(people))
            .order_by(DigestItem.user_id, DigestItem.id)
        ).all()
        for user_id, group in groupby(items, lambda item: item.user_id):
            _digest(session, user_id, list(group)[:MOST_ITEMS])
        return len(people)


def _digest(session: Session, user_id: int, items: Sequence[DigestItem]) -> None:
    # Mail stands below the accounts, and knows of a person no more than where mail goes.
    to = session.execute(text("SELECT email FROM users WHERE id = :id"), {"id": user_id}).scalar_one()
    news = "1 piece of news" if len(items) == 1 else f"{len(items)} pieces of news"
    mail = queue_mail(
        session,
        key=f"digest:{user_id}:{items[-1].id}",
        kind="digest",
        to=to,
        subject=f"Your coursework: {news}",
        template="digest",
        context={"items": items, "news": news},
        user_id=user_id,
        unsubscribe_url=unsubscribe_url(preference_of(session, user_id), "digest"),
    )
    session.execute(delete(DigestItem).where(DigestItem.id.in_([item.id for item in items])))
    session.flush()
    send_later(session, mail.id, priority=3)
