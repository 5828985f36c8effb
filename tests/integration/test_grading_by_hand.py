"""Grading in a person's hand: paused and resumed, shown and hidden, done once more with a preview."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.academic import jobs, pausing
from app.academic.gradebook.models import Regrade, RegradeResult, WaitingGrading
from app.academic.grading import grader
from app.academic.grading.errors import AutograderError
from app.academic.grading.results import GradeReport
from app.academic.models import Assignment, Grade, SubmissionJob
from app.accounts.models import AuditEvent
from app.db import db, writing
from app.runner import Retry
from app.runner.models import Job
from tests.academic_world import RIGHT, WRONG, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def teacher(world: World, sign_in: SignIn) -> FlaskClient:
    """The teacher's browser."""
    return sign_in(world.teacher)


def score_of(world: World, submission_id: int) -> float | None:
    """The grade as students have it."""
    with world.application.app_context():
        grade = db.session.get(Grade, submission_id)
        return grade.score if grade else None


def actions(world: World) -> list[str]:
    """What the audit log has about grading, in its order."""
    about_people = AuditEvent.subject.startswith("user:")
    query = select(AuditEvent.action).where(~about_people).order_by(AuditEvent.id)
    with world.application.app_context():
        return list(db.session.scalars(query))


def change_tests(world: World) -> None:
    """Let the instructor find that adding is subtracting."""
    with world.application.app_context(), writing() as session:
        files = session.get_one(Assignment, world.assignment_id).files
        file = next(file for file in files if file.path.startswith("tests/"))
        file.content = file.content.replace(b"add(1, 2) == 3", b"add(1, 2) == -1")


def run_regrade(world: World, regrade_id: int) -> None:
    """Run the jobs of a regrade, as a launcher does."""
    with world.application.app_context():
        rows = db.session.scalars(
            select(RegradeResult.submission_id).where(RegradeResult.regrade_id == regrade_id)
        ).all()
    for submission_id in rows:
        world.run(jobs.RegradeSubmissionJob, regrade_id, submission_id)


def begun(world: World, teacher: FlaskClient) -> int:
    """Ask for all to be graded once more; give the regrade's number."""
    answer = teacher.post(f"/assignments/{world.assignment_id}/regrade")
    assert 303 == answer.status_code
    return int(answer.location.rpartition("/")[2])


def test_a_paused_assignment_is_not_graded_and_nothing_is_lost(world: World, teacher: FlaskClient) -> None:
    """Work is taken meanwhile; resuming enqueues what came, once, and it is graded then."""
    one = world.hand_in(world.ann)
    path = f"/assignments/{world.assignment_id}"
    assert 303 == teacher.post(f"{path}/pause", data={"reason": "the tests are wrong"}).status_code
    assert {"outcome": "paused"} == world.run(jobs.AutomatedGradingJob, one.submission_id)
    assert {"outcome": "paused"} == world.run(jobs.AutomatedGradingJob, one.submission_id)
    assert None is score_of(world, one.submission_id)
    page = teacher.get(path).text
    assert "Grading is paused." in page
    assert "the tests are wrong" in page

    assert 303 == teacher.post(f"{path}/resume").status_code
    with world.application.app_context():
        kinds = db.session.scalars(select(SubmissionJob.kind)).all()
        assert 2 == kinds.count("grading")
        assert [] == db.session.scalars(select(WaitingGrading)).all()
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    assert 40.0 == score_of(world, one.submission_id)
    assert ["grading_paused", "grading_resumed"] == actions(world)


def test_a_student_reads_that_the_work_waits(
    world: World, teacher: FlaskClient, application: Flask, sign_in: SignIn
) -> None:
    """The page says that grading is paused, not why, and keeps looking."""
    one = world.hand_in(world.ann)
    teacher.post(f"/assignments/{world.assignment_id}/pause", data={"reason": "a secret reason"})
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    student = sign_in(world.ann, client=application.test_client())
    page = student.get(f"/submissions/{one.receipt}").text
    assert "grading of this assignment is paused" in page
    assert "hx-get" in page
    for path in (f"/submissions/{one.receipt}", f"/assignments/{world.assignment_id}"):
        assert "a secret reason" not in student.get(path).text


def test_the_alarm_pauses_under_its_own_name(world: World) -> None:
    """Who pauses is kept; an assignment that is paused is not paused again."""
    with world.application.app_context():
        for expected in (True, False):
            with writing() as session:
                assert expected is pausing.pause(
                    session, world.assignment_id, reason="7 of 10 broke", by=pausing.ALARM
                )
        assert "alarm" == db.session.get_one(Assignment, world.assignment_id).grading_paused_by
        with writing() as session:
            assert 0 == pausing.resume(session, world.assignment_id)
        with writing() as session:
            assert None is pausing.resume(session, world.assignment_id)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_pause_has_a_reason(world: World, teacher: FlaskClient, reason: str) -> None:
    """Other staff must know why."""
    answer = teacher.post(f"/assignments/{world.assignment_id}/pause", data={"reason": reason})
    assert 400 == answer.status_code
    assert [] == actions(world)


def test_hidden_results_are_released_and_hidden_again(
    world: World, teacher: FlaskClient, application: Flask, sign_in: SignIn
) -> None:
    """A test that stays hidden is shown when a person releases it, with the total."""
    one = world.hand_in(world.ann, WRONG)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    with application.app_context(), writing() as session:
        grade = session.scalars(select(Grade)).one()
        grade.hides = "always"
        grade.report = grade.report.replace('"visible"', '"hidden"', 1)
    student = sign_in(world.ann, client=application.test_client())
    for verb, is_shown in ((None, False), ("release-results", True), ("hide-results", False)):
        if verb:
            assert 303 == teacher.post(f"/assignments/{world.assignment_id}/{verb}").status_code
        page = student.get(f"/submissions/{one.receipt}").text
        assert (is_shown, is_shown) == ("<dd>20</dd>" in page, "Hidden test" not in page)
    assert ["results_released", "results_hidden"] == actions(world)


def test_a_regrade_changes_nothing_until_it_is_published(world: World, teacher: FlaskClient) -> None:
    """Old and new stand side by side, test by test; publishing replaces what changed, once."""
    right, wrong = world.hand_in(world.ann, RIGHT), world.hand_in(world.ben, WRONG)
    for one in (right, wrong):
        world.run(jobs.AutomatedGradingJob, one.submission_id)
    change_tests(world)
    regrade_id = begun(world, teacher)
    path = f"/regrades/{regrade_id}"
    assert "0 of 2 graded" in teacher.get(path).text
    assert 303 == teacher.post(f"{path}/publish").status_code
    run_regrade(world, regrade_id)
    assert (40.0, 20.0) == (score_of(world, right.submission_id), score_of(world, wrong.submission_id))
    page = teacher.get(path).text
    assert "2 of 2 grades would change" in page
    assert "Small numbers are added.: passed → failed, 1 → 0 points" in page

    for _ in range(2):
        assert 303 == teacher.post(f"{path}/publish").status_code
    assert (20.0, 40.0) == (score_of(world, right.submission_id), score_of(world, wrong.submission_id))
    assert ["regrade_begun", "grade_regraded", "grade_regraded", "regrade_published"] == actions(world)
    assert "published" in teacher.get(path).text


def test_a_regrade_can_be_discarded(world: World, teacher: FlaskClient) -> None:
    """Then every grade stays, and jobs that are still to run find that nobody waits for them."""
    one = world.hand_in(world.ann)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    change_tests(world)
    regrade_id = begun(world, teacher)
    teacher.post(f"/regrades/{regrade_id}/discard")
    assert {"kept": False} == world.run(jobs.RegradeSubmissionJob, regrade_id, one.submission_id)
    teacher.post(f"/regrades/{regrade_id}/publish")
    assert 40.0 == score_of(world, one.submission_id)
    assert ["regrade_begun", "regrade_discarded"] == actions(world)


def test_asking_twice_is_one_regrade(world: World, teacher: FlaskClient) -> None:
    """While one is open it is shown again; its jobs stand behind all others."""
    one = world.hand_in(world.ann)
    assert begun(world, teacher) == begun(world, teacher)
    single = teacher.post(f"/submissions/{one.receipt}/regrade").location
    assert single == teacher.post(f"/submissions/{one.receipt}/regrade").location
    with world.application.app_context():
        query = select(Job.priority).where(Job.class_name == "app.academic.jobs.RegradeSubmissionJob")
        assert [3, 3] == list(db.session.scalars(query))
        assert [True, False] == list(db.session.scalars(select(Regrade.is_whole).order_by(Regrade.id)))


def test_a_grade_made_since_is_left_alone(world: World, teacher: FlaskClient) -> None:
    """What was graded after the regrade is newer than it, and publishing does not touch it."""
    one = world.hand_in(world.ann)
    regrade_id = begun(world, teacher)
    run_regrade(world, regrade_id)
    change_tests(world)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    assert "graded since" in teacher.get(f"/regrades/{regrade_id}").text
    teacher.post(f"/regrades/{regrade_id}/publish")
    assert 20.0 == score_of(world, one.submission_id)


def test_a_regrade_that_broke_says_so_and_changes_nothing(
    world: World, teacher: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the machinery is a sentence for staff and never a grade."""
    one = world.hand_in(world.ann)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    regrade_id = begun(world, teacher)

    def broken(*_: object, **__: object) -> None:
        raise AutograderError("the disk is full")

    monkeypatch.setattr(grader, "grade", broken)
    with pytest.raises(Retry):
        world.run(jobs.RegradeSubmissionJob, regrade_id, one.submission_id)
    page = teacher.get(f"/regrades/{regrade_id}").text
    assert "the disk is full" in page
    teacher.post(f"/regrades/{regrade_id}/publish")
    assert 40.0 == score_of(world, one.submission_id)


def test_what_became_not_gradable_loses_its_score_only_when_published(
    world: World, teacher: FlaskClient
) -> None:
    """A regrade without a score is a change like any other."""
    one = world.hand_in(world.ann)
    world.run(jobs.AutomatedGradingJob, one.submission_id)
    regrade_id = begun(world, teacher)
    run_regrade(world, regrade_id)
    with world.application.app_context(), writing() as session:
        row = session.scalars(select(RegradeResult)).one()
        report = replace(GradeReport.from_json(row.report or ""), outcome="not_gradable", tests=())
        row.report, row.score = report.to_json(), None
    assert "1 of 1 grades would change" in teacher.get(f"/regrades/{regrade_id}").text
    teacher.post(f"/regrades/{regrade_id}/publish")
    assert None is score_of(world, one.submission_id)


def test_nobody_else_has_a_hand_in_it(world: World, application: Flask, sign_in: SignIn) -> None:
    """Students and instructors of other courses find neither page nor verb."""
    one = world.hand_in(world.ann)
    owner = sign_in(world.teacher, client=application.test_client())
    regrade_id = begun(world, owner)
    verbs = [f"/assignments/{world.assignment_id}/{verb}" for verb in VERBS]
    verbs += [f"/regrades/{regrade_id}/{verb}" for verb in ("publish", "discard")]
    verbs.append(f"/submissions/{one.receipt}/regrade")
    for person in (world.ann, world.eve, world.colleague):
        browser = sign_in(person, client=application.test_client())
        assert {404} == {browser.post(path, data={"reason": "x"}).status_code for path in verbs}
        assert 404 == browser.get(f"/regrades/{regrade_id}").status_code
        assert 404 == browser.get(f"/assignments/{world.assignment_id}/grading").status_code
    assert ["regrade_begun"] == actions(world)


VERBS = ("pause", "resume", "release-results", "hide-results", "regrade")
