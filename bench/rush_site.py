"""A site for the deadline rush: migrated database, one course, students who are signed in; all of it real."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP: Final = Path(__file__).resolve().parent.parent
DEMO: Final = TOP / "app" / "academic" / "demo" / "data"
PASSWORD: Final = "nine yellow bicycles"  # noqa: S105 - of people who do not exist
READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Student:
    """Somebody who is signed in: the cookie of their browser and the token of its page."""

    email: str
    cookie: str
    token: str


class Site:
    """The processes that `script/server` starts, on a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {
            **os.environ,
            "FLASK_INSTANCE_PATH": str(folder / "instance"),
            "FLASK_LOG_DIR": str(folder / "logs"),
            "SECRET_KEY": secrets.token_hex(32),
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            # Signing in is not what is measured.
            "FLASK_PASSWORD_ROUNDS": "1",
            "FLASK_PASSWORD_MEMORY_KIB": "8",
            "PYTHONPATH": str(TOP),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }
        self.database = folder / "instance" / "app.db"

    def prepare(self, students: int, assignment: str, due_at: dt.datetime) -> tuple[int, list[Student]]:
        """Make database, course, assignment and people; give the assignment's number and the people."""
        subprocess.run(
            [sys.executable, "-m", "flask", "db", "upgrade"],
            cwd=TOP, env=self.environment, check=True, capture_output=True,
        )  # fmt: skip
        os.environ.update({name: value for name, value in self.environment.items() if name != "PATH"})
        from app import create_app

        application = create_app()
        with application.app_context():
            number, emails = _world(students, assignment, due_at)
        return number, [_signed_in(application, email, number) for email in emails]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run what the Procfile names: web and launcher."""
        started = []
        with (self.folder / "said.log").open("ab") as said:
            try:
                for line in (TOP / "Procfile").read_text().splitlines():
                    command = line.partition(":")[2].strip()
                    process = subprocess.Popen(
                        ["/bin/sh", "-c", command], cwd=TOP, env=self.environment,
                        stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                    )  # fmt: skip
                    started.append(process)
                self._wait()
                yield
            finally:
                for process in started:
                    process.terminate()
                for process in started:
                    process.wait(STOP_SECONDS)

    def _wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"the site did not start: {(self.folder / 'said.log').read_text()[-500:]}")


def _world(students: int, folder: str, due_at: dt.datetime) -> tuple[int, list[str]]:
    from app.academic.assignments import import_folder
    from app.academic.models import Course, Enrollment
    from app.accounts import users
    from app.accounts.passwords import hash_password
    from app.db import writing

    now, password = dt.datetime.now(dt.UTC), hash_password(PASSWORD)

    def person(name: str, role: str) -> Any:
        address = f"{name}@example.com"
        return users.create(
            session, email=address, first_name=name.title(), last_name="Example", role=role,
            password_hash=password,
        )  # fmt: skip

    with writing() as session:
        course = Course(
            code="CS 1", title="Rush", instructor_id=person("teacher", "instructor").id, created_at=now
        )
        session.add(course)
        session.flush()
        people = [person(f"student{number:03}", "student") for number in range(students)]
        session.add_all(
            Enrollment(course_id=course.id, student_id=each.id, enrolled_at=now) for each in people
        )
        session.flush()
        made = import_folder(session, course, DEMO / folder / "assignment", slug="rush", due_at=due_at)
        session.flush()
        return made.id, [each.email for each in people]


def _signed_in(application: Any, email: str, assignment: int) -> Student:
    browser = application.test_client()
    form = {"email": email, "password": PASSWORD, "csrf_token": _token(browser.get("/sign-in").text)}
    if browser.post("/sign-in", data=form).status_code != 303:  # noqa: PLR2004 - See Other
        raise RuntimeError(f"{email} could not sign in")
    token = _token(browser.get(f"/assignments/{assignment}").text)
    cookie = browser.get_cookie("session")
    return Student(email=email, cookie=f"session={cookie.value}", token=token)


def _token(page: str) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the page has no token")
    return found[1]
