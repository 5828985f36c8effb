"""`Runner(app, guard=...)`: who may see the dashboard, and what an application gets."""

from __future__ import annotations

import getpass
import threading
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, redirect
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, inspect, text

from app.runner import Runner, binding, exec, extension, run_background_job  # noqa: A004 - a module
from app.runner.binding import NotBound
from app.runner.database import configure
from app.runner.errors import SettingsError
from app.runner.models import Event, Job, metadata
from tests.runner_house import TABLES, WORK, host

if TYPE_CHECKING:
    from pathlib import Path

PAGES = ["", "/1", "/1/logs", "/failures", "/launchers"]
PATH = "/background-jobs"


def dispose(application: Flask) -> None:
    """Let go of the database."""
    with application.app_context():
        binding.current().engine.dispose()


@pytest.mark.parametrize("path", PAGES)
def test_without_a_guard_nobody_may(tmp_path: Path, path: str) -> None:
    """A dashboard that nobody thought about is closed, page by page."""
    application = host(tmp_path)

    assert 403 == application.test_client().get(PATH + path).status_code


@pytest.mark.parametrize("verb", ["start", "cancel", "retry", "hold", "release"])
def test_without_a_guard_nobody_may_act(tmp_path: Path, verb: str) -> None:
    """What cannot be seen cannot be changed either."""
    application = host(tmp_path)
    with application.app_context():
        job = run_background_job("app.runner.samples.SampleJob", "plain").id

        answer = application.test_client().post(f"{PATH}/{job}/{verb}")
        bulk = application.test_client().post(f"{PATH}/bulk/{verb}", data={"ids": str(job)})

        assert (403, 403) == (answer.status_code, bulk.status_code)
        with binding.current().read() as session:
            assert session.get_one(Job, job).events == []
    dispose(application)


@pytest.mark.parametrize("answer", [False, None, 0, "", "yes", 1, [], b"yes"], ids=ascii)
def test_only_true_admits(tmp_path: Path, answer: Any) -> None:
    """A guard that says no, or forgets to say anything, or says something odd, has let nobody in."""
    application = host(tmp_path, guard=lambda: answer)

    assert 403 == application.test_client().get(PATH).status_code


def test_a_guard_that_says_yes_admits(tmp_path: Path) -> None:
    """True is the one word that opens the dashboard."""
    application = host(tmp_path, guard=lambda: True)

    assert 200 == application.test_client().get(PATH).status_code
    dispose(application)


@pytest.mark.parametrize(("answer", "status"), [(Response("sign in", 401), 401), (redirect("/sign-in"), 302)])
def test_the_response_of_a_guard_is_passed_through(tmp_path: Path, answer: Response, status: int) -> None:
    """A guard may send people elsewhere, such as to a page for signing in."""
    application = host(tmp_path, guard=lambda: answer)

    got = application.test_client().get(PATH)

    assert (status, answer.get_data()) == (got.status_code, got.get_data())


def test_the_guard_is_asked_for_the_dashboard_alone(tmp_path: Path) -> None:
    """The host's own pages are the host's to guard."""
    application = host(tmp_path)
    application.add_url_rule("/", view_func=lambda: "ours")

    assert "ours" == application.test_client().get("/").text


def test_a_bad_setting_stops_the_start(tmp_path: Path) -> None:
    """The application does not come up with a setting that cannot be used, and says which."""
    with pytest.raises(
        SettingsError, match=r"^RUNNER_SLOTS must be a whole number from 1 to 1024, not 'many'"
    ):
        host(tmp_path, RUNNER_SLOTS="many")
    with pytest.raises(
        SettingsError, match=r"^RUNNER_SLOT: there is no such setting; did you mean RUNNER_SLOTS\?"
    ):
        host(tmp_path, RUNNER_SLOT=2)


def test_an_application_can_be_made_later(tmp_path: Path) -> None:
    """The pattern of factories: the extension first, the application when there is one."""
    runner = Runner(guard=lambda: True)
    application = Flask("later", instance_path=str(tmp_path / "instance"))

    runner.init_app(application)

    assert 200 == application.test_client().get(PATH).status_code
    dispose(application)


def test_the_runner_has_a_database_of_its_own_if_there_is_no_other(tmp_path: Path) -> None:
    """Nothing to install and nothing to migrate: tables are made in a file under instance/."""
    application = host(tmp_path)

    with application.app_context():
        engine = binding.current().engine
        names = set(inspect(engine).get_table_names())

    assert {model.__tablename__ for model in TABLES} <= names
    assert (tmp_path / "instance" / "jobs.db").exists()
    assert (tmp_path / "logs").is_dir()
    engine.dispose()


def test_two_applications_do_not_mix(tmp_path: Path) -> None:
    """Each application has its settings, its database and its jobs."""
    one, other = (host(tmp_path / name, RUNNER_SLOTS=slots) for name, slots in (("one", 1), ("other", 2)))

    for application, slots in ((one, 1), (other, 2), (one, 1)):
        with application.app_context():
            assert slots == binding.current().settings.slots
    with one.app_context():
        run_background_job("app.runner.samples.SampleJob", "plain")
    with other.app_context(), binding.current().read() as session:
        assert session.query(Job).count() == 0
    dispose(one)
    dispose(other)


def test_outside_of_an_application_there_is_no_runner(tmp_path: Path) -> None:
    """The sentence says what is missing: a context, or the runner itself."""
    host(tmp_path)
    with pytest.raises(NotBound, match="no application context"):
        run_background_job(WORK, "handle")
    with Flask("bare").app_context(), pytest.raises(NotBound, match="this application has no runner"):
        run_background_job(WORK, "handle")


def test_the_order_of_extensions_is_checked(tmp_path: Path) -> None:
    """A database that is configured and not yet there would leave jobs in another one."""
    with pytest.raises(SettingsError, match="call SQLAlchemy's init_app before Runner's"):
        host(tmp_path, SQLALCHEMY_DATABASE_URI="sqlite://")


def test_sample_jobs_are_approved_everywhere(tmp_path: Path) -> None:
    """`flask jobs run-test-jobs` works in any application, beside what that one approves."""
    application = host(tmp_path, RUNNER_APPROVED={WORK: ["handle"]})

    with application.app_context():
        approved = binding.current().settings.approved

    assert {WORK, "app.runner.samples.SampleJob"} == approved.keys()
    dispose(application)


def test_commands_come_along(tmp_path: Path) -> None:
    """Every command of the design is there, each with help."""
    application = host(tmp_path)
    runner = application.test_cli_runner()
    names = "run work list show logs start cancel retry hold release stats prune check run-test-jobs"

    for name in names.split():
        done = runner.invoke(args=["jobs", name, "--help"])
        assert (0, True) == (done.exit_code, done.output.startswith("Usage: "))


def test_events_name_who_acted(tmp_path: Path) -> None:
    """A person of the host, an account at the command line, or a job: each signs what it did."""
    application = host(tmp_path, guard=lambda: True)
    with application.app_context():
        job = run_background_job("app.runner.samples.SampleJob", "plain").id
        application.test_cli_runner().invoke(args=["jobs", "hold", str(job)])
        application.test_client().post(f"{PATH}/{job}/release")
        with binding.current().read() as session:
            actors = [event.actor for event in session.query(Event).order_by(Event.id)]

    assert [f"cli:{getpass.getuser()}", "ada"] == actors
    dispose(application)


def test_a_job_that_a_job_enqueued_says_so(tmp_path: Path) -> None:
    """Who created a job may be another job, by its number."""
    application = host(tmp_path)
    order = exec.Order(job_id=7, attempt=1, class_name="", method="", parameters="")
    exec.current_job.begin(order, lambda _: None)
    try:
        with application.app_context():
            made = run_background_job("app.runner.samples.SampleJob", "plain")
            assert "job 7" == made.created_by
    finally:
        exec.current_job.end()
    dispose(application)


def test_jobs_join_the_hosts_transaction(tmp_path: Path) -> None:
    """With Flask-SQLAlchemy, what the host writes and its jobs are committed or rolled back together."""
    database = SQLAlchemy()
    application = Flask("shop", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'shop.db'}", RUNNER_APPROVED={WORK: ["handle"]}
    )
    database.init_app(application)
    Runner(application)

    with application.app_context():
        lost = run_background_job(WORK, "handle")
        assert database.session() is binding.current().host_session()
        database.session.rollback()
        kept = run_background_job(WORK, "handle").id
        with binding.current().read() as session:
            before = session.query(Job).count()
        database.session.commit()
        with binding.current().read() as session:
            after = [job.id for job in session.query(Job)]

    assert (0, [kept]) == (before, after)
    assert lost is not None
    dispose(application)


def test_a_request_that_reads_first_can_enqueue(tmp_path: Path) -> None:
    """Who is signed in is read before anything is written, and launchers write in between."""
    application = Flask("host", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'host.db'}", RUNNER_LOG_DIR=str(tmp_path / "logs")
    )
    database = SQLAlchemy(application)
    Runner(application)
    with application.app_context():
        # Before anybody has asked for the runner.
        assert "wal" == database.session.execute(text("PRAGMA journal_mode")).scalar()
        database.session.execute(text("CREATE TABLE people (name TEXT)"))
        database.session.commit()
        assert [] == list(database.session.execute(text("SELECT name FROM people")))
        with binding.current().write() as launcher:
            launcher.execute(text("INSERT INTO people VALUES ('ada')"))

        job = run_background_job("app.runner.samples.SampleJob", "plain").id
        database.session.commit()

        assert "pending" == database.session.get_one(Job, job).status
        database.session.remove()
    dispose(application)


def test_a_database_for_jobs_alone_is_committed_at_once(tmp_path: Path) -> None:
    """Where jobs live elsewhere, no transaction of the host's can hold them, and none is pretended."""
    database = SQLAlchemy()
    application = Flask("shop", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'shop.db'}",
        RUNNER_DATABASE_URL=f"sqlite:///{tmp_path / 'jobs.db'}",
        RUNNER_APPROVED={WORK: ["handle"]},
    )
    database.init_app(application)
    Runner(application)

    with application.app_context():
        job = run_background_job(WORK, "handle").id
        database.session.rollback()
        with binding.current().read() as session:
            assert session.get(Job, job) is not None
    dispose(application)


@pytest.mark.parametrize("is_shared", [True, False])
def test_tables_are_made_where_the_hosts_migrations_do_not(tmp_path: Path, *, is_shared: bool) -> None:
    """A host with migrations of its own, on a metadata of its own, needs no more than `Runner(app)`."""
    application = Flask("host", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'host.db'}", RUNNER_LOG_DIR=str(tmp_path / "logs")
    )
    database = SQLAlchemy(application, metadata=metadata) if is_shared else SQLAlchemy(application)
    Migrate(application, database)
    Runner(application)

    with application.app_context():
        made = inspect(binding.current().engine).has_table(Job.__tablename__)

    assert made is not is_shared
    dispose(application)


def test_a_relative_database_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher started in another folder must not make a database of its own there."""
    monkeypatch.chdir(tmp_path)
    application = host(tmp_path, RUNNER_DATABASE_URL="sqlite:///own.db")

    with application.app_context():
        assert str(tmp_path / "instance" / "own.db") == binding.current().engine.url.database
    assert (tmp_path / "instance" / "own.db").exists()
    dispose(application)


def test_relative_folders_are_beside_the_instance_wherever_a_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher started elsewhere writes where the dashboard reads, and listens where it is woken."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    application = Flask("host", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update(RUNNER_LOG_DIR="var/log", RUNNER_WAKE_DIR="var/run")
    Runner(application)

    with application.app_context():
        settings = binding.current().settings
        assert (tmp_path / "var/log", tmp_path / "var/run") == (settings.log_dir, settings.wake_dir)
    dispose(application)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNNER_LOG_DIR", "taken"),
        ("RUNNER_WAKE_DIR", "taken/below"),
        ("RUNNER_DATABASE_URL", "garbage"),
    ],
)
def test_what_cannot_be_used_is_named_at_the_start(tmp_path: Path, name: str, value: str) -> None:
    """A setting that cannot be used stops the start with a sentence that names it."""
    (tmp_path / "taken").write_text("")
    path = value if name == "RUNNER_DATABASE_URL" else str(tmp_path / value)
    application = Flask("host", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    application.config.update({"RUNNER_LOG_DIR": str(tmp_path / "logs"), name: path})

    with pytest.raises(SettingsError, match=rf"^{name}\b"):
        Runner(application)


def test_processes_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    """Web and launcher meet at a new database: both find its tables, whoever made them."""
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    configure(engine)
    barrier = threading.Barrier(4)
    made: list[bool] = []

    def make() -> None:
        barrier.wait(timeout=10)
        extension._make_tables(engine)
        made.append(inspect(engine).has_table("background_jobs"))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    engine.dispose()

    assert [True] * 4 == made
