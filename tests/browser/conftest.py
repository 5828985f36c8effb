"""A real site: gunicorn, a launcher, Debian's Chromium; one for all stories."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.launching import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "a password for stories"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Jobs for the admin to act on, approved through the environment beside the site's own.
WORK = """
import pathlib, time
from app.runner import current_job

class Chore:
    def linger(self, seconds: float):
        for n in range(round(seconds * 10)):
            print(f"line {n}", flush=True)
            current_job.progress(n, seconds * 10, "lingering")
            time.sleep(0.1)

    def need(self, path: str):
        print("looking for it", flush=True)
        return pathlib.Path(path).read_text()
"""

PREPARE = """
import datetime as dt
from pathlib import Path
from wsgi import application
from app.academic.assignments import import_folder
from app.academic.models import Course, Enrollment
from app.academic.submissions import hand_in
from app.academic.uploads import check_upload
from app.accounts.models import User
from app.db import db, writing
from sqlalchemy import select

now = dt.datetime.now(dt.UTC)
folder = Path("app/academic/demo/data/linked-list")
with application.app_context():
    with writing() as session:
        people = {user.email.partition("@")[0]: user for user in session.scalars(select(User))}
        teacher = people["instructor"].id
        course = Course(code="CS 3303", title="Data Structures", instructor_id=teacher, created_at=now)
        session.add(course)
        session.flush()
        for name in ("student", "other"):
            session.add(Enrollment(course_id=course.id, student_id=people[name].id, enrolled_at=now))
        import_folder(session, course, folder / "assignment")
    other = db.session.scalar(select(User).where(User.email == "other@example.com"))
    course = db.session.scalar(select(Course))
    source = (folder / "solutions" / "sentinel.py").read_bytes()
    hand_in(other, course.assignments[0], [check_upload("linked_list.py", source, max_bytes=10**6)])
"""


class Site:
    """The site under test: its address, its files, its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "work.py").write_text(WORK, encoding="utf-8")
        self.environment = dict(os.environ) | {
            "PYTHONPATH": str(folder),
            "FLASK_INSTANCE_PATH": str(folder / "instance"),
            "FLASK_LOG_DIR": str(folder / "logs"),
            "FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'site.db'}",
            "FLASK_RUNNER_APPROVED": json.dumps({"work.Chore": ["linger", "need"]}),
            "FLASK_RUNNER_GRACE_SECONDS": "1",
            "FLASK_SITE_URL": self.url,
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def flask(self, *arguments: str) -> str:
        """Run a command of the site to its end."""
        return self.python("-m", "flask", *arguments)

    def python(self, *arguments: str) -> str:
        """Run Python with the site's settings to its end."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def enqueue(self, method: str, *parameters: object, delay: int = 0) -> int:
        """Enqueue a chore; give the job's number."""
        given = ("-p", json.dumps(parameters), "--delay", str(delay), "--retries", "0")
        return int(self.flask("jobs", "run", "work.Chore", method, *given).split()[1])

    def start(self) -> None:
        """Make the database, the people and the work of another student, then start everything."""
        self.flask("db", "upgrade")
        for name, role in (
            ("admin", "admin"),
            ("instructor", "instructor"),
            ("student", "student"),
            ("other", "student"),
        ):
            who = ("--email", f"{name}@example.com", "--role", role, "--password", PASSWORD)
            self.flask("accounts", "create", *who, "--first-name", name.title(), "--last-name", "Example")
        self.python("-c", PREPARE)
        self._begin(
            "-m", "gunicorn", "--threads", "4", "--bind", f"127.0.0.1:{self.port}", "wsgi:application"
        )
        self._begin("-m", "flask", "jobs", "work", "--slots", "2")
        until(self._answers, "the site answers")

    def stop(self) -> None:
        """End everything."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)

    def _begin(self, *arguments: str) -> None:
        self.running.append(subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environment))

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/sign-in", timeout=2) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running site."""
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the stories in a browser are skipped")
    flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the site as somebody, in a browser of their own; fail when the console complained."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_as(name: str | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=site.url, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _note(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if name is not None:
            page.goto("/sign-in")
            page.get_by_label("E-mail").fill(f"{name}@example.com")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert [] == complaints


def _note(message: Any, complaints: list[str]) -> None:
    # A refused page is logged by the browser as a failed load; a story may be about just that.
    if message.type == "error" and "Failed to load resource" not in message.text:
        complaints.append(message.text)
