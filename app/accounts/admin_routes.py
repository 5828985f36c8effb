"""Pages of accounts for admins: who is there, what they may do, and what was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import or_, select

from app.accounts import users
from app.accounts.guards import refusal
from app.accounts.models import ROLES, AuditEvent, User
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

PAGE_SIZE: Final = 50

blueprint = Blueprint("accounts_admin", __name__, url_prefix="/admin")
blueprint.before_request(lambda: refusal("admin"))


@blueprint.get("/accounts", endpoint="accounts")
def list_accounts() -> str:
    """List accounts by name; those that a text or a role matches."""
    text, role = request.args.get("q", "").strip(), request.args.get("role", "")
    page = max(1, request.args.get("page", 1, type=int))
    query = select(User).order_by(User.last_name, User.first_name, User.id)
    if text:
        fields = (User.email, User.first_name, User.last_name)
        query = query.where(or_(*(field.icontains(text, autoescape=True) for field in fields)))
    if role in ROLES:
        query = query.where(User.role == role)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)))
    return render_template(
        "accounts/accounts.html",
        users=found[:PAGE_SIZE],
        has_more=len(found) > PAGE_SIZE,
        page=page,
        text=text,
        role=role,
        roles=ROLES,
    )


@blueprint.post("/accounts/<int:user_id>/role", endpoint="set_role")
def set_role(user_id: int) -> ResponseReturnValue:
    """Change what a person may do."""
    role = request.form.get("role", "")
    return _change(user_id, f"is now {role}", lambda session, user: users.set_role(session, user, role))


@blueprint.post("/accounts/<int:user_id>/disable", endpoint="disable")
def disable(user_id: int) -> ResponseReturnValue:
    """Let a person no longer sign in."""
    return _change(
        user_id,
        "can no longer sign in",
        lambda session, user: users.set_enabled(session, user, is_enabled=False),
    )


@blueprint.post("/accounts/<int:user_id>/enable", endpoint="enable")
def enable(user_id: int) -> ResponseReturnValue:
    """Let a person sign in again."""
    return _change(
        user_id, "can sign in again", lambda session, user: users.set_enabled(session, user, is_enabled=True)
    )


def _change(user_id: int, news: str, verb: Callable[[Session, User], None]) -> ResponseReturnValue:
    try:
        with writing() as session:
            user = db.get_or_404(User, user_id)
            verb(session, user)
            words = f"{user.full_name} {news}."
    except users.AccountError as error:
        flash(f"Nothing was changed: {error}.", "error")
    else:
        flash(words, "success")
    return redirect(url_for("accounts_admin.accounts"), code=303)


@blueprint.get("/audit", endpoint="audit")
def show_audit() -> str:
    """Show what was changed and by whom, newest first."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(PAGE_SIZE + 1)
    before = request.args.get("before", type=int)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    events = list(db.session.scalars(query))
    return render_template(
        "accounts/audit.html",
        events=events[:PAGE_SIZE],
        older=events[PAGE_SIZE - 1].id if len(events) > PAGE_SIZE else None,
        is_first=before is None,
    )
