"""Who may see what: guards for views and blueprints. What has no guard is public."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import abort
from flask_login import current_user

from app.accounts.redirects import to_sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response


def refusal(*roles: str) -> Response | None:
    """Give the answer for somebody who may not go on: sign in first, or 403; None lets them pass.

    Without roles everybody who is signed in may pass.
    """
    if not current_user.is_authenticated:
        return to_sign_in()
    if roles and current_user.role not in roles:
        abort(403)
    return None


def role_required(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only these roles reach the view; without roles everybody who is signed in."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **values: Any) -> ResponseReturnValue:
            refused = refusal(*roles)
            return refused if refused is not None else view(*args, **values)

        return guarded

    return decorate


def admin_guard() -> Response | bool:
    """Guard of the dashboard: admins pass, others get 403, strangers are asked to sign in."""
    return current_user.is_admin if current_user.is_authenticated else to_sign_in()
