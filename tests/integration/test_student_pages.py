"""What a student reads beside the result: what is left, a place in line, what changed between attempts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from app.academic import jobs
from app.academic.models import Assignment, Enrollment, Extension, Grade, SubmissionJob
from app.db import db, writing
from app.runner.logs import attempt_log_path
from app.runner.models import Attempt, Job, LauncherRow
from tests.academic_world import RIGHT, WRONG, World, make_world
from tests.web_routes import without_tokens

if TYPE_CHECKING:
    from flask import Flask

    from tests.conftest import MakeUser, SignIn


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def twice(world: World) -> list[str]:
    """The receipts of Ann's two graded attempts: wrong, then right."""
    made = [world.hand_in(world.ann, content) for content in (WRONG, RIGHT)]
    for handed_in in made:
        world.run(jobs.AutomatedGradingJob, handed_in.submission_id)
    return [handed_in.receipt for handed_in in made]


def now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


def test_the_list_says_what_is_left(world: World, twice: list[str], sign_in: SignIn) -> None:
    """Own deadline, attempts left, and the score of the attempt that counts."""
    assert len(twice) == 2
    with world.application.app_context(), writing() as session:
        assignment = session.get_one(Assignment, world.assignment_id)
        assignment.attempts_max, assignment.counts = 5, "best"
        session.add(
            Extension(
                assignment_id=assignment.id,
                student_id=world.ann.id,
                due_at=dt.datetime(2031, 5, 6, 7, 8, tzinfo=dt.UTC),
                extra_attempts=1,
                granted_at=now(),
            )
        )
    page = sign_in(world.ann).get("/").text
    for shown in ("6 May 2031, 07:08", "your extension", "<strong>40</strong>"):
        assert shown in page
    left = page.partition('data-label="Left">')[2].partition("</td>")[0]
    assert "4" == left.strip()


def test_a_draft_is_not_listed(world: World, sign_in: SignIn) -> None:
    """What is not published is nothing yet."""
    with world.application.app_context(), writing() as session:
        session.get_one(Assignment, world.assignment_id).is_published = False
    assert "Adding up" not in sign_in(world.ann).get("/").text


def test_two_attempts_are_compared(
    world: World, twice: list[str], sign_in: SignIn, application: Flask
) -> None:
    """What was taken away, what came, and which tests end otherwise; for the student and for staff."""
    for person in (world.ann, world.teacher, world.admin):
        browser = sign_in(person, client=application.test_client())
        page = browser.get(f"/submissions/{twice[1]}/compare").text
        for shown in ("is-removed", "is-added", "Small numbers are added.", "Attempt 1 and attempt 2"):
            assert shown in page
        asked = browser.get(f"/submissions/{twice[1]}/compare?with=1").text
        assert without_tokens(page) == without_tokens(asked)
        assert "Attempt 2 and attempt 1" in browser.get(f"/submissions/{twice[0]}/compare?with=2").text
        for query in ("?with=3", "?with=2", "?with=x"):
            assert 404 == browser.get(f"/submissions/{twice[1]}/compare{query}").status_code
        assert f"/submissions/{twice[1]}/compare" in browser.get(f"/submissions/{twice[1]}").text


def test_nobody_else_compares(world: World, twice: list[str], sign_in: SignIn, application: Flask) -> None:
    """Another student's attempts are not there, nor for staff of other courses; one attempt is no two."""
    for person in (world.ben, world.eve, world.colleague):
        browser = sign_in(person, client=application.test_client())
        assert 404 == browser.get(f"/submissions/{twice[1]}/compare").status_code
    only = world.hand_in(world.ben)
    assert 404 == sign_in(world.ben).get(f"/submissions/{only.receipt}/compare").status_code


def test_a_comparison_keeps_what_tests_hide(world: World, twice: list[str], sign_in: SignIn) -> None:
    """Neither the test nor the total is told by looking at the difference."""
    with world.application.app_context(), writing() as session:
        for grade in session.scalars(select(Grade)):
            grade.hides = "always"
            grade.report = grade.report.replace('"visible"', '"hidden"')
    page = sign_in(world.ann).get(f"/submissions/{twice[1]}/compare").text
    assert "Small numbers are added." not in page
    assert "shown later" in page
    assert "<strong>40</strong>" not in page


def test_a_place_in_line_with_an_honest_estimate(world: World, sign_in: SignIn) -> None:
    """Nothing runs: said. Then seven in line, one slot, three seconds each as measured: half a minute."""
    earlier = world.hand_in(world.ben)
    with world.application.app_context(), writing() as session:
        grading = session.scalars(
            select(SubmissionJob.job_id).where(
                SubmissionJob.kind == "grading", SubmissionJob.submission_id == earlier.submission_id
            )
        ).one()
        session.execute(update(Job).values(run_at=now() + dt.timedelta(hours=1)))
        session.execute(update(Job).where(Job.id == grading).values(status="completed", finished_at=now()))
        started = now() - dt.timedelta(seconds=60)
        session.add(
            Attempt(
                job_id=grading,
                number=1,
                outcome="completed",
                started_at=started,
                finished_at=started + dt.timedelta(seconds=3),
            )
        )
    waiting = [world.hand_in(world.ann, WRONG + b"#" * number) for number in range(1)]
    browser = sign_in(world.ann)
    page = browser.get(f"/submissions/{waiting[-1].receipt}").text
    assert "nothing runs jobs at the moment" in page
    with world.application.app_context(), writing() as session:
        mine = session.scalars(
            select(Job)
            .join(SubmissionJob, SubmissionJob.job_id == Job.id)
            .where(SubmissionJob.submission_id == waiting[-1].submission_id, SubmissionJob.kind == "grading")
        ).one()
        for number in range(1, 7):
            session.add(
                Job(
                    class_name="a.B",
                    method="handle",
                    rank=mine.rank - number,
                    run_at=mine.run_at - dt.timedelta(seconds=number),
                    created_at=now(),
                )
            )
        session.add(
            LauncherRow(
                id="l",
                host="h",
                boot_id="b",
                pid=1,
                process_started=1.0,
                slots=1,
                started_at=now(),
                heartbeat_at=now(),
            )
        )
    assert "7th of 8, about 30 s" in browser.get(f"/submissions/{waiting[-1].receipt}").text


def test_staff_read_what_a_job_wrote(
    world: World, twice: list[str], sign_in: SignIn, application: Flask
) -> None:
    """The raw log of each of the four jobs is there for staff of the course and for nobody else."""
    with application.app_context():
        job_id = db.session.scalars(
            select(SubmissionJob.job_id).where(SubmissionJob.kind == "grading").order_by(SubmissionJob.job_id)
        ).all()[-1]
        db.session.execute(update(Job).where(Job.id == job_id).values(attempt=1))
        db.session.commit()
    path = attempt_log_path(Path(application.config["LOG_DIR"]), job_id, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<b>it wrote this</b>\n")
    browser = sign_in(world.teacher)
    page = f"/submissions/{twice[1]}/jobs/grading"
    assert "&lt;b&gt;it wrote this&lt;/b&gt;" in browser.get(page).text
    assert "It has written nothing" in browser.get(f"/submissions/{twice[1]}/jobs/similarity").text
    assert 404 == browser.get(f"/submissions/{twice[1]}/jobs/nonsense").status_code
    assert page in browser.get(f"/submissions/{twice[1]}").text
    for person in (world.ann, world.ben, world.eve, world.colleague):
        client = sign_in(person, client=application.test_client())
        assert 404 == client.get(page).status_code
    own = sign_in(world.ann, client=application.test_client()).get(f"/submissions/{twice[1]}")
    assert "/jobs/grading" not in own.text


def test_students_learn_of_others_only_from_five_on_and_after_the_deadline(
    world: World, make_user: MakeUser, sign_in: SignIn
) -> None:
    """Before, and of fewer, the numbers would be about persons."""
    students = [world.ann, world.ben, *(make_user() for _ in range(3))]
    with world.application.app_context(), writing() as session:
        for student in students[2:]:
            session.add(Enrollment(course_id=world.course_id, student_id=student.id, enrolled_at=now()))
    browser = sign_in(world.ann)
    path = f"/assignments/{world.assignment_id}"
    for student in students[:4]:
        world.run(jobs.AutomatedGradingJob, world.hand_in(student).submission_id)
    last = world.hand_in(students[4])

    def compute(due_at: dt.datetime) -> str:
        with world.application.app_context(), writing() as session:
            session.get_one(Assignment, world.assignment_id).due_at = due_at
        world.run(jobs.GenerateAnalyticsReportJob, "Adding")
        return browser.get(path).text

    over = now() - dt.timedelta(minutes=1)
    assert "students have a score" not in compute(over)
    world.run(jobs.AutomatedGradingJob, last.submission_id)
    assert "students have a score" not in compute(now() + dt.timedelta(days=1))
    assert "5 students have a score" in compute(over)
