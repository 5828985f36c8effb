"""The Flask extension: `Runner(app, guard=...)` gives an application jobs, a dashboard and commands."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, abort, current_app, has_request_context
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from werkzeug.wrappers import Response as BaseResponse

from app.runner import binding
from app.runner.binding import Binding, NotBound
from app.runner.database import configure
from app.runner.errors import SettingsError
from app.runner.exec import current_job
from app.runner.models import Job, metadata
from app.runner.schedules import check_schedules
from app.runner.settings import Settings, load_approved, load_settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NAME: Final = "background_jobs"

# `flask jobs run-test-jobs` works everywhere.
_SAMPLES: Final = load_approved({"app.runner.samples.SampleJob": ["plain", "fail_once"]})

Guard = Callable[[], "bool | BaseResponse"]


class Runner:
    """Binds the runner to a Flask application.

    Args:
        application: The application; or call `init_app` later.
        guard: Who may see the dashboard: a function that gives True, False (then 403), or a response
            such as a redirect to a page for signing in. Without one nobody may.
        actor: The name under which the present person's actions are recorded.

    Raises:
        SettingsError: A `RUNNER_*` setting is unknown or cannot be used.
    """

    def __init__(
        self,
        application: Flask | None = None,
        *,
        guard: Guard | None = None,
        actor: Callable[[], str] | None = None,
    ) -> None:
        self.guard: Guard = guard or _nobody
        self.actor: Callable[[], str] = actor or _somebody
        if application is not None:
            self.init_app(application)

    def init_app(self, application: Flask) -> None:
        """Read the settings, and add the dashboard, `/healthz` and the commands."""
        from app.runner.cli import jobs_cli
        from app.runner.dashboard import blueprint
        from app.runner.dashboard.health import healthz

        state = _State(application, self)
        application.extensions[NAME] = state
        binding.use(_current)
        application.register_blueprint(blueprint, url_prefix="/background-jobs")
        application.before_request_funcs.setdefault(blueprint.name, []).insert(0, self._admit)
        # For whatever watches over the site, which no guard would know.
        application.add_url_rule("/healthz", "runner_healthz", healthz)
        application.cli.add_command(jobs_cli)

    def _admit(self) -> BaseResponse | None:
        answer: object = self.guard()
        if isinstance(answer, BaseResponse):
            return answer
        # Only True admits: a guard that forgot to answer has not let anybody in.
        if answer is not True:
            abort(403)
        return None


class _State:
    """One application's settings, and its binding once it is asked for."""

    def __init__(self, application: Flask, runner: Runner) -> None:
        self.application, self.runner = application, runner
        self.settings = _settings_of(application)
        self._binding: Binding | None = None
        if self._is_shared:
            # Before its first connection: each is set up when it is made.
            with application.app_context():
                configure(application.extensions["sqlalchemy"].engine)

    def binding(self) -> Binding:
        if self._binding is None:
            self._binding = Binding(
                settings=self.settings,
                engine=self._engine(),
                actor=self._actor,
                application=self._name(),
                host_session=self._host_session,
            )
        return self._binding

    def _name(self) -> str:
        """Name the application for a launcher that we start: as somebody did, else by where it was made."""
        named = self.settings.application or os.environ.get("FLASK_APP", "")
        if named or Path("wsgi.py").exists():
            return named
        module = self.application.import_name
        return str(getattr(sys.modules[module], "__file__", "")) if module == "__main__" else module

    def _actor(self) -> str:
        if has_request_context():
            return self.runner.actor()
        job = current_job.id_or_none()
        return f"job {job}" if job is not None else f"cli:{_account()}"

    def _engine(self) -> Engine:
        if self._is_shared:
            engine: Engine = self.application.extensions["sqlalchemy"].engine
        else:
            engine = _own_engine(self.settings.database_url)
            configure(engine)
        if not _is_migrated(self.application):
            _make_tables(engine)
        return engine

    def _host_session(self) -> Session | None:
        if not self._is_shared:
            return None
        session: Session = self.application.extensions["sqlalchemy"].session()
        return session

    @property
    def _is_shared(self) -> bool:
        """Whether jobs live in the host's own database."""
        return "sqlalchemy" in self.application.extensions and not self.settings.database_url


def _settings_of(application: Flask) -> Settings:
    instance = Path(application.instance_path)
    defaults: dict[str, Any] = {
        "RUNNER_LOG_DIR": instance.parent / "logs",
        "RUNNER_WAKE_DIR": instance,
    }
    if not _has_database(application):
        defaults["RUNNER_DATABASE_URL"] = f"sqlite:///{instance / 'jobs.db'}"
    settings = load_settings(defaults | dict(application.config))
    settings = replace(settings, approved=_SAMPLES | dict(settings.approved))
    check_schedules(settings.schedules, settings.approved)
    # Not against the folder that a command happens to be given in: each would have files of its own.
    settings = replace(
        settings, log_dir=instance.parent / settings.log_dir, wake_dir=instance.parent / settings.wake_dir
    )
    if settings.database_url.startswith("sqlite"):
        _make_folder("RUNNER_DATABASE_URL", instance)
    _make_folder("RUNNER_LOG_DIR", settings.log_dir)
    _make_folder("RUNNER_WAKE_DIR", settings.wake_dir)
    return replace(settings, database_url=_checked_url(settings.database_url, instance))


def _make_folder(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{name}: {folder} cannot be used as a folder ({error.strerror})") from None


def _checked_url(given: str, instance: Path) -> str:
    """Give the URL with a relative SQLite file under the instance folder, as Flask-SQLAlchemy has it."""
    if not given:
        return given
    try:
        url = make_url(given)
    except ArgumentError:
        raise SettingsError(
            "RUNNER_DATABASE_URL must be a database URL, like sqlite:////srv/jobs.db"
        ) from None
    file = url.database
    if url.get_backend_name() == "sqlite" and file and file != ":memory:" and not file.startswith("file:"):
        url = url.set(database=str(instance / file))
    return url.render_as_string(hide_password=False)


def _own_engine(url: str) -> Engine:
    try:
        return create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise SettingsError(f"RUNNER_DATABASE_URL: {error}") from None


def _has_database(application: Flask) -> bool:
    if "sqlalchemy" in application.extensions:
        return True
    if application.config.get("SQLALCHEMY_DATABASE_URI") and not application.config.get(
        "RUNNER_DATABASE_URL"
    ):
        raise SettingsError("SQLALCHEMY_DATABASE_URI is set: call SQLAlchemy's init_app before Runner's")
    return False


def _is_migrated(application: Flask) -> bool:
    """Whether the host's migrations make our tables too: where they are on its metadata."""
    migrate = application.extensions.get("migrate")
    return migrate is not None and Job.__tablename__ in migrate.db.metadata.tables


def _make_tables(engine: Engine) -> None:
    """Make the runner's own tables where no migrations do."""
    if inspect(engine).has_table(Job.__tablename__):
        return
    own = [table for name, table in metadata.tables.items() if name.startswith("background_job")]
    for is_last in (False, False, True):
        try:
            metadata.create_all(engine, tables=own)
        except DBAPIError:
            # Web and launcher start together: the other one is making them at this moment.
            if is_last:
                raise
        else:
            return


def _current() -> Binding:
    if not current_app:
        raise NotBound("no application context: use the runner inside of `with app.app_context():`")
    state: _State | None = current_app.extensions.get(NAME)
    if state is None:
        raise NotBound("this application has no runner: call Runner(app) first")
    return state.binding()


def _nobody() -> bool:
    return False


def _somebody() -> str:
    return "somebody"


@cache
def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return str(os.getuid())
