"""Handing in: files, receipt and four jobs in one transaction."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from app.academic import submissions
from app.academic.models import Course, Submission, SubmissionFile, SubmissionJob
from app.academic.refusals import HandInRefused
from app.academic.submissions import request_analytics
from app.db import db, writing
from app.runner import run_background_job
from app.runner.models import Job
from tests.academic_world import RIGHT, WRONG, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.conftest import MakeUser


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def test_the_work_its_receipt_and_four_jobs_are_stored(world: World) -> None:
    """One attempt makes one row with its file and four jobs with the promised defaults."""
    before = dt.datetime.now(dt.UTC)
    handed_in = world.hand_in(world.ann)
    with world.application.app_context():
        submission = db.session.get_one(Submission, handed_in.submission_id)
        assert (1, False, RIGHT) == (submission.number, submission.is_late, submission.files[0].content)
        assert re.fullmatch(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}", submission.receipt)
        jobs = {
            link.kind: db.session.get_one(Job, link.job_id)
            for link in db.session.scalars(select(SubmissionJob))
        }
        found = {kind: (job.class_name, job.parameters, job.priority) for kind, job in jobs.items()}
        assert {
            "grading": ("app.academic.jobs.AutomatedGradingJob", "[1]", 1),
            "notification": ("app.academic.jobs.NotifyStudentOfSubmissionJob", "[1]", 2),
            "analytics": ("app.academic.jobs.GenerateAnalyticsReportJob", '["Adding"]', 3),
            "similarity": ("app.academic.jobs.CheckForPlagiarismJob", "[1]", 1),
        } == found
        delays = {kind: round((job.run_at - before).total_seconds()) for kind, job in jobs.items()}
        assert {"grading": 0, "notification": 0, "analytics": 15, "similarity": 10} == delays


def test_a_failure_on_the_way_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last job cannot be enqueued neither work nor jobs are stored."""
    calls: list[str] = []
    enqueue = run_background_job

    def fail_at_last(cls: str, *rest: Any, **named: Any) -> Any:
        calls.append(cls)
        if len(calls) == 4:
            raise RuntimeError("the power is out")
        return enqueue(cls, *rest, **named)

    monkeypatch.setattr(submissions, "run_background_job", fail_at_last)
    with pytest.raises(RuntimeError, match="power"):
        world.hand_in(world.ann)
    with world.application.app_context():
        counts = [
            db.session.scalar(select(func.count()).select_from(it))
            for it in (Submission, SubmissionFile, Job)
        ]
    assert [0, 0, 0] == counts


def test_the_same_bytes_again_are_kept_once(world: World) -> None:
    """An identical file makes no new attempt; a changed one does, and going back does too."""
    first, again = world.hand_in(world.ann), world.hand_in(world.ann, name="renamed.py")
    assert (True, False, first.receipt) == (first.is_new, again.is_new, again.receipt)
    assert [2, 3] == [world.hand_in(world.ann, content).number for content in (WRONG, RIGHT)]
    assert world.hand_in(world.ben).is_new


def test_twenty_attempts_an_hour_are_the_limit(world: World) -> None:
    """The 21st within an hour is refused, with the time when the next is possible."""
    start = dt.datetime(2026, 3, 5, 9, 30, tzinfo=dt.UTC)
    for count in range(20):
        world.hand_in(world.ann, RIGHT + b"#" * count, at=start + dt.timedelta(minutes=count))
    with pytest.raises(HandInRefused, match=r"20 attempts in an hour .* possible at 10:30 UTC"):
        world.hand_in(world.ann, WRONG, at=start + dt.timedelta(minutes=50))
    assert world.hand_in(world.ben, WRONG, at=start + dt.timedelta(minutes=50)).is_new
    assert 21 == world.hand_in(world.ann, WRONG, at=start + dt.timedelta(minutes=61)).number


def test_only_those_who_take_the_course_hand_in(world: World) -> None:
    """A student of another course is refused and nothing is stored."""
    with pytest.raises(HandInRefused, match="do not take Adding"):
        world.hand_in(world.eve)


def test_late_is_after_the_deadline(world: World) -> None:
    """Work that arrives after the deadline is taken and marked late."""
    late = world.hand_in(world.ann, at=dt.datetime.now(dt.UTC) + dt.timedelta(days=2))
    with world.application.app_context():
        assert db.session.get_one(Submission, late.submission_id).is_late


def test_one_analytics_job_waits_per_course(world: World) -> None:
    """Many submissions share the job that waits; while it runs already, one more waits behind it."""
    world.hand_in(world.ann)
    world.hand_in(world.ben)
    with world.application.app_context():
        of_analytics = select(Job.id).where(Job.class_name == submissions.ANALYTICS.handler)
        [waiting] = db.session.scalars(of_analytics).all()
        with writing() as session:
            session.execute(
                update(Job).where(Job.id == waiting).values(status="running", launcher_id="l", attempt=1)
            )
        with writing() as session:
            course = session.get_one(Course, world.course_id)
            more = {request_analytics(session, course).id for _ in range(2)}
        assert {waiting} | more == set(db.session.scalars(of_analytics))
        assert 1 == len(more - {waiting})
