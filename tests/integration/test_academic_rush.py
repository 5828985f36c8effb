"""A deadline rush: nobody is refused, lost or doubled, and a flood delays nobody. By order, not by time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from app.academic import queueing
from app.academic.models import Assignment, Course, Enrollment, Submission, SubmissionJob
from app.academic.submissions import grade_again, hand_in, take_in
from app.academic.uploads import check_upload
from app.accounts.models import User
from app.db import db, writing
from app.runner.models import Job
from tests.academic_world import RIGHT, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.conftest import MakeUser

GRADING = "app.academic.jobs.AutomatedGradingJob"


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def enrol(world: World, make_user: MakeUser, number: int, course_id: int = 0) -> list[User]:
    """Have so many more students take the course."""
    people = [make_user(email=f"s{course_id}-{each:02}@example.com") for each in range(number)]
    with world.application.app_context(), writing() as session:
        now = dt.datetime.now(dt.UTC)
        for person in people:
            taken = course_id or world.course_id
            session.add(Enrollment(course_id=taken, student_id=person.id, enrolled_at=now))
    return people


def jobs_of(world: World, submission_id: int) -> dict[str, Job]:
    """Give the jobs of a submission by kind."""
    with world.application.app_context():
        query = select(SubmissionJob.kind, Job).join(Job, Job.id == SubmissionJob.job_id)
        rows = db.session.execute(query.where(SubmissionJob.submission_id == submission_id).order_by(Job.id))
        found = {kind: job for kind, job in rows}  # noqa: C416 - rows are no dict for the type checker
        for job in found.values():
            db.session.refresh(job)
            db.session.expunge(job)
        return found


def line(world: World) -> list[int]:
    """Give the students whose work waits to be graded, in the order in which launchers take it."""
    with world.application.app_context():
        return list(
            db.session.scalars(
                select(Submission.student_id)
                .join(SubmissionJob, SubmissionJob.submission_id == Submission.id)
                .join(Job, Job.id == SubmissionJob.job_id)
                .where(Job.class_name == GRADING, Job.status == "pending")
                .order_by(Job.rank, Job.id)
            )
        )


def test_a_newer_attempt_takes_the_place_of_the_older(world: World) -> None:
    """Who hands in again while waiting keeps the place in line; only the newest is graded and compared."""
    first = world.hand_in(world.ann, RIGHT)
    world.hand_in(world.ben, RIGHT)
    second = world.hand_in(world.ann, RIGHT + b"# better\n")

    assert [world.ann.id, world.ben.id] == line(world)
    old, new = jobs_of(world, first.submission_id), jobs_of(world, second.submission_id)
    assert {"grading": "cancelled", "similarity": "cancelled", "notification": "pending"} == {
        kind: old[kind].status for kind in ("grading", "similarity", "notification")
    }
    assert old["grading"].run_at == new["grading"].run_at
    assert old["analytics"].id == new["analytics"].id


def test_what_is_graded_right_now_is_not_stopped(world: World) -> None:
    """An attempt whose grading has begun is graded to its end, and the newer one waits in line."""
    first = world.hand_in(world.ann, RIGHT)
    job = jobs_of(world, first.submission_id)["grading"].id
    with world.application.app_context(), writing() as session:
        mine = update(Job).where(Job.id == job)
        session.execute(mine.values(status="running", launcher_id="l", attempt=1))
    second = world.hand_in(world.ann, RIGHT + b"# better\n")
    assert "running" == jobs_of(world, first.submission_id)["grading"].status
    assert "pending" == jobs_of(world, second.submission_id)["grading"].status


def test_a_regrade_is_not_replaced(world: World) -> None:
    """What a teacher has asked for is done, whatever the student hands in meanwhile."""
    first = world.hand_in(world.ann, RIGHT)
    with world.application.app_context(), writing() as session:
        session.execute(
            update(Job).where(Job.class_name == GRADING).values(status="completed", finished_at=NOW)
        )
    with world.application.app_context(), writing() as session:
        asked = grade_again(session, first.submission_id, priority=2).id
    world.hand_in(world.ann, RIGHT + b"# better\n")
    with world.application.app_context():
        assert "pending" == db.session.get_one(Job, asked).status


NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_in_a_rush_receipts_come_first_and_comparing_last(world: World, make_user: MakeUser) -> None:
    """Beyond a share work stands in the second line, its receipt before it, its comparison long after."""
    *first, last = [
        world.hand_in(person).submission_id for person in enrol(world, make_user, queueing.SHARE + 1)
    ]
    calm, rush = jobs_of(world, first[-1]), jobs_of(world, last)
    kinds = ("grading", "notification", "similarity")
    assert [1, 2, 1] == [calm[kind].priority for kind in kinds]
    assert [2, 1, 3] == [rush[kind].priority for kind in kinds]
    assert rush["notification"].rank < rush["grading"].rank < rush["similarity"].rank
    assert 300 == round((rush["similarity"].run_at - rush["similarity"].created_at).total_seconds())


def test_nobody_overtakes_those_in_the_second_line(world: World, make_user: MakeUser) -> None:
    """When the first line has emptied, who comes now still stands behind who has waited for longer."""
    people = enrol(world, make_user, queueing.SHARE + 2)
    for person in people[:-1]:
        world.hand_in(person)
    with world.application.app_context(), writing() as session:
        done = update(Job).where(Job.class_name == GRADING, Job.priority == 1)
        session.execute(done.values(status="completed", finished_at=NOW))
    world.hand_in(people[-1])
    assert [people[-2].id, people[-1].id] == line(world)


def test_a_rush_of_one_course_does_not_delay_another(world: World, make_user: MakeUser) -> None:
    """The one student of a small course is graded before those of a large one who wait beyond its share."""
    for person in enrol(world, make_user, queueing.SHARE + 10):
        world.hand_in(person)
    with world.application.app_context(), writing() as session:
        mine = session.get_one(Assignment, world.assignment_id)
        other = Assignment(
            course_id=world.other_course_id,
            slug="other",
            title="Other",
            max_bytes=1000,
            due_at=mine.due_at,
            created_at=mine.created_at,
        )
        session.add(other)
        session.flush()
        upload = check_upload("solution.py", RIGHT, max_bytes=1000)
        eve = session.get_one(User, world.eve.id)
        take_in(session, eve, other, [upload], received_at=dt.datetime.now(dt.UTC))
    assert queueing.SHARE == line(world).index(world.eve.id)


def test_a_flood_delays_nobody(world: World, make_user: MakeUser) -> None:
    """Who hands in twenty times in a row has one place in line, behind everybody who did not."""
    others = enrol(world, make_user, 3)
    world.hand_in(others[0])
    for number in range(20):
        world.hand_in(world.ann, RIGHT + b"#" * number)
    for person in others[1:]:
        world.hand_in(person)
    assert [*(person.id for person in others), world.ann.id] == line(world)


def test_forty_students_four_times(world: World, make_user: MakeUser) -> None:
    """All 160 are taken; of each student the newest waits, once; no receipt is lost and none is doubled."""
    people = enrol(world, make_user, 40)
    with world.application.app_context():
        assignment = db.session.get_one(Assignment, world.assignment_id)
        number = assignment.max_bytes
        for turn in range(4):
            for person in people:
                upload = check_upload("adding.py", RIGHT + f"# {turn}\n".encode(), max_bytes=number)
                assignment = db.session.get_one(Assignment, world.assignment_id)
                assert hand_in(db.session.get_one(User, person.id), assignment, [upload]).is_new
    waiting = line(world)
    assert {person.id for person in people} == set(waiting)
    assert len(people) == len(waiting)
    with world.application.app_context():
        newest = select(func.max(Submission.id)).group_by(Submission.student_id)
        graded = (
            select(SubmissionJob.submission_id)
            .join(Job, Job.id == SubmissionJob.job_id)
            .where(Job.class_name == GRADING, Job.status == "pending")
        )
        assert set(db.session.scalars(newest)) == set(db.session.scalars(graded))
        receipts = select(Job.parameters).where(Job.class_name.endswith("NotifyStudentOfSubmissionJob"))
        told = list(db.session.scalars(receipts))
        assert 160 == len(told) == len(set(told))
        analytics = select(func.count()).where(Job.class_name.endswith("GenerateAnalyticsReportJob"))
        assert 1 == db.session.scalar(analytics)
        assert 160 == db.session.scalar(select(func.count()).select_from(Submission))
        assert 1 == db.session.scalar(select(func.count(Course.id)).where(Course.id == world.course_id))
