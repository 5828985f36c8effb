"""The outbox as admins see it: what was sent, what waits, what failed, and each mail as it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, current_app, render_template, request
from sqlalchemy import func, select

from app.db import db
from app.mail import smtp
from app.mail.models import STATUSES, OutboxMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

PAGE_SIZE: Final = 50
TABS: Final = ("html", "text", "source")

# A mail brings its own styles and nothing else; it runs no script and knows no origin.
_BODY_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def make_blueprint(guard: Callable[[], ResponseReturnValue | None]) -> Blueprint:
    """Build the outbox pages; `guard` gives the answer for those who may not see them."""
    blueprint = Blueprint("mail", __name__, url_prefix="/admin/outbox")
    blueprint.before_request(guard)
    blueprint.add_url_rule("", "outbox", _outbox)
    blueprint.add_url_rule("/<int:mail_id>", "show", _show)
    blueprint.add_url_rule("/<int:mail_id>/body", "body", _body)
    return blueprint


def _outbox() -> str:
    """List mails, newest first, a page at a time."""
    status = request.args.get("status", "")
    if status not in STATUSES:
        status = ""
    query = select(OutboxMail).order_by(OutboxMail.id.desc()).limit(PAGE_SIZE + 1)
    if status:
        query = query.where(OutboxMail.status == status)
    before = request.args.get("before", type=int)
    if before is not None:
        query = query.where(OutboxMail.id < before)
    mails = list(db.session.scalars(query))
    return render_template(
        "mail/outbox.html",
        mails=mails[:PAGE_SIZE],
        older=mails[PAGE_SIZE - 1].id if len(mails) > PAGE_SIZE else None,
        is_first=before is None,
        status=status,
        counts=_counts(),
        has_server=bool(current_app.config["MAIL_SERVER"]),
    )


def _counts() -> dict[str, int]:
    found = db.session.execute(select(OutboxMail.status, func.count()).group_by(OutboxMail.status))
    counts = {status: int(count) for status, count in found}
    return {status: counts[status] for status in STATUSES if status in counts}


def _show(mail_id: int) -> Response:
    """Show one mail: as it looks, as text, as it travels."""
    mail = _get(mail_id)
    tab = request.args.get("tab", "html")
    if tab not in TABS:
        abort(404)
    page = render_template(
        "mail/mail.html",
        mail=mail,
        tab=tab,
        tabs=TABS,
        source=smtp.message(mail).as_string() if tab == "source" else "",
        has_server=bool(current_app.config["MAIL_SERVER"]),
    )
    response = Response(page)
    # This one page shows another in a frame.
    response.headers["Content-Security-Policy"] = (
        f"{current_app.config['CONTENT_SECURITY_POLICY']}; frame-src 'self'"
    )
    return response


def _body(mail_id: int) -> Response:
    """Give the HTML of a mail by itself, for the frame."""
    response = Response(_get(mail_id).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _BODY_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _get(mail_id: int) -> OutboxMail:
    return db.session.get(OutboxMail, mail_id) or abort(404)
