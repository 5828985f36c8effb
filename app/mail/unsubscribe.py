"""The link that ends mails: RFC 8058, one POST, without signing in.

Looking changes nothing, since mail scanners look. A token that nobody has is answered like any other.
It is the one form of the site without its own token: mail programs send it, and know none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, render_template

from app.db import writing
from app.extensions import csrf
from app.mail.preferences import ENDINGS, unsubscribe, words

if TYPE_CHECKING:
    from collections.abc import Callable

WHAT: Final = {
    "receipts": "receipts of what you hand in",
    "grades": "mails about your grades",
    "alarms": "alarms about the courses you teach",
    "digest": "digests",
}


def make_blueprint(record: Callable[..., None]) -> Blueprint:
    """Build the page and the verb behind it; `record` writes the audit log."""
    blueprint = Blueprint("unsubscribe", __name__, url_prefix="/mail/unsubscribe")
    rule = f"/<any({', '.join(ENDINGS)}):ending>/<token>"

    def ask(ending: str, token: str) -> str:
        """Say what the button does."""
        return render_template("mail/unsubscribe.html", what=WHAT[ending], ending=ending, token=token)

    def end(ending: str, token: str) -> str:
        """End these mails; the answer is the same whether or not the link is anybody's."""
        with writing() as session:
            found = unsubscribe(session, token, ending)
            if found is not None:
                record(
                    session,
                    "mail_unsubscribed",
                    f"user:{found.user_id}",
                    after=words(found),
                    actor="unsubscribe link",
                )
        return render_template("mail/unsubscribed.html", what=WHAT[ending])

    blueprint.add_url_rule(rule, "ask", ask)
    blueprint.add_url_rule(rule, "end", csrf.exempt(end), methods=["POST"])
    return blueprint
