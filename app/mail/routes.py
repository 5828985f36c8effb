"""The outbox as admins see it: what was sent, what waits, what failed, and each mail as it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import func, or_, select

from app.db import db, writing
from app.mail import addresses, smtp
from app.mail.models import STATUSES, OutboxMail
from app.mail.resending import NotResent, resend

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from sqlalchemy import Select

PAGE_SIZE: Final = 50
TABS: Final = ("html", "text", "source")

# A mail brings its own styles and nothing else; it runs no script and knows no origin.
_BODY_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


def make_blueprint(guard: Callable[[], ResponseReturnValue | None], record: Callable[..., None]) -> Blueprint:
    """Build the outbox pages; `guard` answers those who may not see them, `record` writes the audit log."""

    def send_again(mail_id: int) -> ResponseReturnValue:
        """Put a mail back into the queue."""
        return _resend(mail_id, record)

    blueprint = Blueprint("mail", __name__, url_prefix="/admin/outbox")
    blueprint.before_request(guard)
    blueprint.add_url_rule("", "outbox", _outbox)
    blueprint.add_url_rule("/<int:mail_id>", "show", _show)
    blueprint.add_url_rule("/<int:mail_id>/body", "body", _body)
    blueprint.add_url_rule("/<int:mail_id>/resend", "resend", send_again, methods=["POST"])
    return blueprint


def _outbox() -> str:
    """List mails, newest first, a page at a time."""
    status, kind, text = (request.args.get(name, "").strip() for name in ("status", "kind", "q"))
    if status not in STATUSES:
        status = ""
    before = request.args.get("before", type=int)
    query = _filtered(kind, text)
    if status:
        query = query.where(OutboxMail.status == status)
    if before is not None:
        query = query.where(OutboxMail.id < before)
    mails = list(db.session.scalars(query.order_by(OutboxMail.id.desc()).limit(PAGE_SIZE + 1)))
    shown = mails[:PAGE_SIZE]
    return render_template(
        "mail/outbox.html",
        mails=shown,
        older=shown[-1].id if len(mails) > PAGE_SIZE else None,
        is_first=before is None,
        status=status,
        kind=kind,
        text=text,
        kinds=list(db.session.scalars(select(OutboxMail.kind).distinct().order_by(OutboxMail.kind))),
        counts=_counts(kind, text),
        refused=addresses.refused(db.session(), {mail.to for mail in shown}),
        has_server=bool(current_app.config["MAIL_SERVER"]),
    )


def _filtered(kind: str, text: str) -> Select[OutboxMail]:
    query = select(OutboxMail)
    if kind:
        query = query.where(OutboxMail.kind == kind)
    if text:
        fields = (OutboxMail.to, OutboxMail.subject, OutboxMail.message_id)
        query = query.where(or_(*(field.icontains(text, autoescape=True) for field in fields)))
    return query


def _counts(kind: str, text: str) -> dict[str, int]:
    mine = _filtered(kind, text).subquery()
    found = db.session.execute(select(mine.c.status, func.count()).group_by(mine.c.status))
    counts = {status: int(count) for status, count in found}
    return {status: counts[status] for status in STATUSES if status in counts}


def _resend(mail_id: int, record: Callable[..., None]) -> ResponseReturnValue:
    try:
        with writing() as session:
            before = _get(mail_id).status
            if resend(session, mail_id) is None:
                abort(404)
            record(session, "mail_resent", f"mail:{mail_id}", before=before, after="queued")
    except NotResent as refused:
        flash(f"It was not sent again: {refused}.", "error")
    else:
        flash("The mail is queued once more, under the same Message-ID.", "success")
    return redirect(url_for("mail.show", mail_id=mail_id), 303)


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
        refused=addresses.refused(db.session(), [mail.to]),
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
