"""Everybody who reads a result of the weaker mode is told what that means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.academic import jobs
from app.academic.assignments import import_folder
from app.academic.models import Course
from app.db import db, writing
from tests.academic_world import MANIFEST, World, make_world, write_assignment

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.conftest import MakeUser, SignIn


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """An assignment whose tests run beside the student's code."""
    world = make_world(application, make_user, tmp_path / "adding")
    write_assignment(
        tmp_path / "adding", manifest=MANIFEST.replace("path: tests", "path: tests, mode: same-process")
    )
    with application.app_context(), writing() as session:
        import_folder(
            session, db.session.get_one(Course, world.course_id), tmp_path / "adding", slug="adding"
        )
    return world


def test_the_weaker_mode_is_shown_as_such(world: World, application: Flask, sign_in: SignIn) -> None:
    """Students read it in the rules and on the result, staff above the assignment."""
    one = world.hand_in(world.ann)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    student = sign_in(world.ann, client=application.test_client())
    teacher = sign_in(world.teacher, client=application.test_client())

    assert "The tests run beside your program." in student.get(f"/assignments/{world.assignment_id}").text
    assert "detects accidents, not cheating" in student.get(f"/submissions/{one.receipt}").text
    assert "detects accidents, not cheating" in teacher.get(f"/assignments/{world.assignment_id}").text
