"""Grading that fails for many submissions of an assignment is paused, and staff are told why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.academic import alarm, jobs
from app.academic.grading import grader
from app.academic.grading.errors import AutograderError
from app.academic.grading.results import GradeReport
from app.academic.models import Assignment, Submission
from app.db import db, writing
from app.runner import Retry
from tests.academic_world import RIGHT, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.conftest import MakeUser, SignIn

REPORT = GradeReport(outcome="graded", verdict="accepted", points=40, score=40)


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def fail(world: World, submission_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grade a submission with an autograder that fails."""

    def broken(*_: object, **__: object) -> GradeReport:
        raise AutograderError("the tests cannot be loaded")

    monkeypatch.setattr(grader, "grade", broken)
    with pytest.raises(Retry):
        world.run(jobs.AutomatedGradingJob, submission_id, True)


def hand_in_many(world: World, count: int) -> list[int]:
    """Hand so many attempts in."""
    return [world.hand_in(world.ann, RIGHT + b"#" * number).submission_id for number in range(count)]


def note_good(world: World, submission_ids: list[int]) -> None:
    """Note that these were graded without trouble."""
    with world.application.app_context(), writing() as session:
        for submission_id in submission_ids:
            alarm.note_run(session, session.get_one(Submission, submission_id), is_error=False)


def pause_reason(world: World) -> str | None:
    """Why grading of the assignment is paused."""
    with world.application.app_context():
        return db.session.get_one(Assignment, world.assignment_id).grading_pause_reason


def test_two_failures_in_ten_pause_the_assignment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than five per cent of at least ten runs pauses, with the newest reason; nothing is a zero."""
    many = hand_in_many(world, 10)
    note_good(world, many[:8])
    fail(world, many[8], monkeypatch)
    fail(world, many[8], monkeypatch)
    assert pause_reason(world) is None

    fail(world, many[9], monkeypatch)

    assert "failed for 2 of the last 10" in str(pause_reason(world))
    assert "the tests cannot be loaded" in str(pause_reason(world))
    assert {"outcome": "paused"} == world.run(jobs.AutomatedGradingJob, many[0], True)


def test_few_runs_are_no_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine runs say too little, however they ended."""
    for submission_id in hand_in_many(world, 9):
        fail(world, submission_id, monkeypatch)

    assert pause_reason(world) is None


def test_whoever_resumes_begins_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, application: Flask, sign_in: SignIn
) -> None:
    """After a person has looked, one more failure does not pause at once; staff read the alarm's banner."""
    many = hand_in_many(world, 11)
    note_good(world, many[:8])
    for submission_id in many[8:10]:
        fail(world, submission_id, monkeypatch)
    teacher = sign_in(world.teacher, client=application.test_client())
    page = teacher.get(f"/assignments/{world.assignment_id}").text
    assert "By the alarm" in page
    assert 303 == teacher.post(f"/assignments/{world.assignment_id}/resume").status_code

    fail(world, many[10], monkeypatch)

    assert pause_reason(world) is None


def test_a_success_takes_the_failure_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry that went well counts instead of the failure before it."""
    many = hand_in_many(world, 10)
    note_good(world, many[:8])
    fail(world, many[8], monkeypatch)
    monkeypatch.setattr(grader, "grade", lambda *_, **__: REPORT)
    world.run(jobs.AutomatedGradingJob, many[8], True, attempt=2)

    fail(world, many[9], monkeypatch)

    assert pause_reason(world) is None
