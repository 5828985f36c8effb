"""Which mails a person wants: their own page, behind signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, current_app, flash, render_template, request
from flask_login import current_user

from app.accounts import audit
from app.accounts.guards import refusal
from app.accounts.redirects import go
from app.db import db, writing
from app.mail.addresses import refused
from app.mail.models import CHOICES, MailPreference
from app.mail.preferences import BadChoice, choose

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("mail_choices", __name__, url_prefix="/profile/mail")
blueprint.before_request(refusal)


def _scopes() -> tuple[str, ...]:
    return ("receipts", "grades") if current_user.is_student else ("alarms",)


@blueprint.get("")
def choices() -> str:
    """Show what one gets, and why nothing may arrive."""
    mine = db.session.get(MailPreference, current_user.id)
    return render_template(
        "accounts/mail.html",
        scopes=_scopes(),
        choices=CHOICES,
        chosen={scope: getattr(mine, scope) if mine else "every" for scope in _scopes()},
        refused=refused(db.session(), [current_user.email]).get(current_user.email),
        has_server=bool(current_app.config["MAIL_SERVER"]),
    )


@blueprint.post("")
def save() -> ResponseReturnValue:
    """Keep what was chosen."""
    chosen = {scope: request.form[scope] for scope in _scopes() if scope in request.form}
    try:
        with writing() as session:
            before, after = choose(session, current_user.id, **chosen)
            if before != after:
                subject = f"user:{current_user.id}"
                audit.record(session, "mail_chosen", subject, before=before, after=after)
    except BadChoice as error:
        abort(400, str(error))
    flash("Saved.", "success")
    return go("mail_choices.choices")
