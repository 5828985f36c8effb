"""Makes the demo faculty and hands its work in; all that follows is done by the jobs."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.academic.assignments import import_folder
from app.academic.demo.plan import read_plan
from app.academic.models import Course, Enrollment
from app.academic.submissions import take_in
from app.academic.uploads import check_upload
from app.accounts import users
from app.accounts.passwords import hash_password
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from app.academic.demo.plan import HandIn, Person, Plan
    from app.academic.models import Assignment
    from app.accounts.models import User

_PASSWORD_BYTES = 9


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the command tells: nothing was made when there were courses already."""

    submissions: int = 0
    # Only if it was made up here; a password that was given is not repeated.
    new_password: str | None = None


def make_demo(password: str | None, *, on_progress: Callable[[int, int], None]) -> Made:
    """Make the faculty in one transaction; a site that has a course is left as it is."""
    if db.session.scalar(select(Course.id).limit(1)) is not None:
        return Made()
    now = dt.datetime.now(dt.UTC)
    plan = read_plan(now)
    chosen = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    password_hash = hash_password(chosen)
    with writing() as session:
        people = {person.key: _account(session, person, password_hash) for person in plan.people}
        assignments = _make_courses(session, plan, people, now)
        for count, planned in enumerate(plan.hand_ins, start=1):
            _hand_in(session, planned, people[planned.student], assignments[planned.folder], now)
            on_progress(count, len(plan.hand_ins))
    return Made(submissions=len(plan.hand_ins), new_password=None if password else chosen)


def _account(session: Session, person: Person, password_hash: str) -> User:
    known = users.find(session, person.email)
    return known or users.create(
        session,
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        role=person.role,
        password_hash=password_hash,
    )


def _make_courses(
    session: Session, plan: Plan, people: dict[str, User], now: dt.datetime
) -> dict[str, Assignment]:
    made: dict[str, Assignment] = {}
    for planned in plan.courses:
        course = Course(
            code=planned.code, title=planned.title, instructor_id=people["instructor"].id, created_at=now
        )
        session.add(course)
        session.flush()
        session.add_all(
            Enrollment(course_id=course.id, student_id=people[key].id, enrolled_at=now)
            for key in planned.students
        )
        for it in planned.assignments:
            made[it.folder] = import_folder(session, course, it.path, slug=it.folder, due_at=it.due_at)
    return made


def _hand_in(
    session: Session, planned: HandIn, student: User, assignment: Assignment, now: dt.datetime
) -> None:
    name = assignment.submit_name
    upload = check_upload(name, planned.content, max_bytes=assignment.max_bytes, expected=name)
    # The plan's clock times may lie a little ahead of the real one.
    received_at = min(planned.handed_in_at, now)
    take_in(session, student, assignment, [upload], received_at=received_at, supersedes=False)
