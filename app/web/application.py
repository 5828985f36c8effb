"""The application factory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_login import AnonymousUserMixin
from werkzeug.middleware.proxy_fix import ProxyFix

from app.academic.cli import academic_cli
from app.academic.routes import blueprint as academic_blueprint
from app.accounts.admin_routes import blueprint as accounts_admin_blueprint
from app.accounts.audit import current_actor
from app.accounts.audit import record as record_audit
from app.accounts.cli import accounts_cli
from app.accounts.guards import admin_guard, refusal
from app.accounts.mail_routes import blueprint as mail_choices_blueprint
from app.accounts.routes import blueprint as accounts_blueprint
from app.accounts.sessions import load_user, touch_session
from app.config import ROOT, configure
from app.db import db
from app.extensions import csrf, login_manager, mail, migrate
from app.mail.routes import make_blueprint as make_mail_blueprint
from app.mail.unsubscribe import make_blueprint as make_unsubscribe_blueprint
from app.runner import Runner
from app.runner.database import configure as configure_engine
from app.runner.errors import SettingsError
from app.web import errors, headers, sanity
from app.web.startup import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask


class Stranger(AnonymousUserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Whoever is not signed in: templates may ask all that they ask of a user."""

    is_admin = is_instructor = is_student = False
    role = None
    full_name = "Somebody"


def build(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Build the site.

    Raises `StartupError`, a `SettingsError` that the command line shows as one sentence.
    """
    application = errors.LoggingFlask(
        "app", root_path=str(ROOT / "app"), instance_path=str(ROOT / "instance")
    )
    try:
        configure(application, overrides)
        _bind_extensions(application)
        _add_pages(application)
    except SettingsError as error:
        raise StartupError(str(error)) from None
    return application


def _bind_extensions(application: Flask) -> None:
    sanity.init_app(application)
    db.init_app(application)
    with application.app_context():
        configure_engine(db.engine)
    migrate.init_app(application, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    csrf.init_app(application)
    mail.init_app(application)
    _bind_login(application)
    headers.init_app(application)
    errors.init_app(application)
    proxies = application.config["PROXY_COUNT"]
    if proxies:
        application.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            application.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )


def _bind_login(application: Flask) -> None:
    login_manager.anonymous_user = Stranger
    # Our sessions are rows; Flask-Login's own check of the browser would end them for a new address.
    login_manager.session_protection = None
    login_manager.user_loader(load_user)
    login_manager.init_app(application)
    application.before_request(touch_session)


def _add_pages(application: Flask) -> None:
    application.register_blueprint(accounts_blueprint)
    application.register_blueprint(accounts_admin_blueprint)
    application.register_blueprint(mail_choices_blueprint)
    application.register_blueprint(make_mail_blueprint(lambda: refusal("admin"), record_audit))
    application.register_blueprint(make_unsubscribe_blueprint(record_audit))
    application.register_blueprint(academic_blueprint)
    Runner(application, guard=admin_guard, actor=current_actor)
    application.cli.add_command(accounts_cli)
    application.cli.add_command(academic_cli)
