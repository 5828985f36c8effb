"""Two small courses with their people: what the academic tests stand in."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.academic.assignments import import_folder
from app.academic.models import Assignment, Course, Enrollment
from app.academic.submissions import HandedIn, hand_in
from app.academic.uploads import check_upload
from app.accounts.models import User
from app.db import db, writing
from app.runner.exec import Order, current_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.conftest import MakeUser

MANIFEST: Final = """\
title: Adding up
points: 40
submit: {files: [adding.py], max_bytes: 50000}
similarity: {base: [stub/adding.py]}
parts: [{type: python-tests, path: tests, limits: {wall: 5, cpu: 3}}]
"""
STUB: Final = 'def add(a, b):\n    """Add two numbers."""\n'
TESTS: Final = '''\
import pytest
from adding import add


def test_small():
    """Small numbers are added."""
    assert add(1, 2) == 3


def test_texts():
    """Texts cannot be added to numbers."""
    with pytest.raises(TypeError):
        add(1, "2")
'''
RIGHT: Final = b"def add(a, b):\n    return a + b\n"
WRONG: Final = b"def add(a, b):\n    return a - b\n"


@dataclass(frozen=True, kw_only=True)
class World:
    """The people and what they have; ids where rows would outlive their session."""

    application: Flask
    admin: User
    teacher: User
    # Teaches the other course.
    colleague: User
    ann: User
    ben: User
    # Takes the other course.
    eve: User
    course_id: int
    assignment_id: int
    other_course_id: int

    def hand_in(
        self, student: User, content: bytes = RIGHT, *, at: dt.datetime | None = None, name: str = "adding.py"
    ) -> HandedIn:
        """Hand in as the student does, past the page."""
        with self.application.app_context():
            assignment = db.session.get_one(Assignment, self.assignment_id)
            upload = check_upload(name, content, max_bytes=assignment.max_bytes)
            return hand_in(db.session.get_one(User, student.id), assignment, [upload], at=at)

    def run(self, handler: type[Any], *parameters: object, job_id: int = 1, attempt: int = 1) -> Any:
        """Run a handler in this process, as a job's process does."""
        with self.application.app_context(), as_job(job_id, attempt):
            return handler().handle(*parameters)

    def log(self, name: str) -> str:
        """What stands in one of the site's log files."""
        path = Path(self.application.config["LOG_DIR"]) / name
        return path.read_text("utf-8") if path.exists() else ""


@contextmanager
def as_job(job_id: int, attempt: int) -> Iterator[list[Any]]:
    """Be a job meanwhile; gives what the handler says about its progress."""
    said: list[Any] = []
    order = Order(job_id=job_id, attempt=attempt, class_name="a.B", method="handle", parameters="[]")
    current_job.begin(order, said.append)
    try:
        yield said
    finally:
        current_job.end()


def make_world(application: Flask, make_user: MakeUser, folder: Path) -> World:
    """Make the people, two courses and one assignment."""
    write_assignment(folder)
    people: dict[str, Any] = {
        name: make_user(role, first_name=name.title(), last_name="Example", email=f"{name}@example.com")
        for name, role in (
            ("admin", "admin"),
            ("teacher", "instructor"),
            ("colleague", "instructor"),
            ("ann", "student"),
            ("ben", "student"),
            ("eve", "student"),
        )
    }
    now = dt.datetime.now(dt.UTC)
    with application.app_context(), writing() as session:
        course = Course(code="CS 1", title="Adding", instructor_id=people["teacher"].id, created_at=now)
        other = Course(code="CS 2", title="Other", instructor_id=people["colleague"].id, created_at=now)
        session.add_all([course, other])
        session.flush()
        for taken, name in ((course, "ann"), (course, "ben"), (other, "eve")):
            session.add(Enrollment(course_id=taken.id, student_id=people[name].id, enrolled_at=now))
        assignment = import_folder(session, course, folder, slug="adding", due_at=now + dt.timedelta(days=1))
        return World(
            application=application,
            course_id=course.id,
            assignment_id=assignment.id,
            other_course_id=other.id,
            **people,
        )


def write_assignment(folder: Path, *, tests: str = TESTS, manifest: str = MANIFEST) -> None:
    """Write the assignment's folder."""
    for path, text in (
        ("assignment.yaml", manifest),
        ("description.txt", "Add two numbers.\n"),
        ("stub/adding.py", STUB),
        ("tests/test_adding.py", tests),
    ):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
