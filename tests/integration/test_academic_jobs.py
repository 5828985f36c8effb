"""The four jobs, run in this process against the database."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from app.academic import jobs
from app.academic.analytics import snapshots
from app.academic.grading import grader
from app.academic.grading.errors import AutograderError, SandboxUnavailable
from app.academic.models import Assignment, CourseSnapshot, Grade
from app.academic.similarity.models import SimilarityPair
from app.db import db, writing
from app.mail.models import OutboxMail
from app.runner import Abort, Retry
from tests.academic_world import RIGHT, WRONG, World, as_job, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.conftest import MakeUser

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] local\.(INFO|ERROR): ([^{]+) (\{.*\})")

# Long enough to be judged, and its twin with other names.
ORIGINAL = """\
def add(a, b):
    # adds by counting, which is slow and honest
    result = a
    for step in range(abs(b)):
        if b > 0:
            result = result + 1
        else:
            result = result - 1
    if result == a and b != 0:
        raise ValueError("nothing was added")
    history.append((a, b, result))
    return result


history = []


def largest():
    best = None
    for left, right, total in history:
        if best is None or total > best:
            best = total
    return best


def average():
    if not history:
        raise ValueError("no history so far")
    totals = [total for left, right, total in history]
    return sum(totals) / len(totals)
"""
TWIN = (
    ORIGINAL.replace("result", "outcome")
    .replace("history", "past")
    .replace("step", "i")
    .replace("# adds by counting, which is slow and honest", "# my own idea")
)


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def events(world: World, name: str) -> list[tuple[str, str, dict[str, object]]]:
    """Read a log file, line by line, in the promised form."""
    found = [LINE.fullmatch(line) for line in world.log(name).splitlines()]
    assert all(found)
    return [(match[1], match[2], json.loads(match[3])) for match in found if match]


def test_grading_replaces_the_grade(world: World) -> None:
    """The tests decide the score; the same job again leaves one grade and the same score."""
    one = world.hand_in(world.ann, WRONG).submission_id
    assert {"outcome": "graded", "score": 20.0, "points": 40.0, "kept": True} == world.run(
        jobs.AutomatedGradingJob, one
    )
    world.run(jobs.AutomatedGradingJob, one, attempt=2)
    with world.application.app_context():
        [grade] = db.session.scalars(select(Grade)).all()
        assert (20.0, 40.0, "graded", 2) == (grade.score, grade.points, grade.outcome, grade.attempt)
    level, message, facts = events(world, "assignment_processing.log")[0]
    assert ("INFO", "Assignment graded") == (level, message)
    assert {"assignment": world.assignment_id, "course": "Adding", "score": 20.0, "user": "Ann Example"} == {
        key: facts[key] for key in ("assignment", "course", "score", "user")
    }


def test_a_late_grading_job_changes_nothing(world: World) -> None:
    """The job that was enqueued last decides, also when an older one ends after it."""
    one = world.hand_in(world.ann, RIGHT).submission_id
    world.run(jobs.AutomatedGradingJob, one, job_id=9)
    result = world.run(jobs.AutomatedGradingJob, one, job_id=3)
    assert result["kept"] is False
    with world.application.app_context():
        assert 9 == db.session.get_one(Grade, one).job_id


def test_an_error_of_the_autograder_is_never_a_zero(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machinery does wrong is retried, a missing sandbox ends the job; neither makes a grade."""
    one = world.hand_in(world.ann).submission_id

    def broken(*_: object, **__: object) -> None:
        raise AutograderError("the disk is full")

    def unavailable(*_: object, **__: object) -> None:
        raise SandboxUnavailable({"bwrap": "not installed"})

    monkeypatch.setattr(grader, "grade", broken)
    with pytest.raises(Retry, match="the disk is full"):
        world.run(jobs.AutomatedGradingJob, one)
    monkeypatch.setattr(grader, "grade", unavailable)
    with pytest.raises(Abort, match="grading of code is disabled: no sandbox on this machine"):
        world.run(jobs.AutomatedGradingJob, one)
    with world.application.app_context():
        assert 0 == db.session.scalar(select(func.count()).select_from(Grade))


def test_a_broken_assignment_ends_the_job(world: World) -> None:
    """When the folder itself is wrong no attempt more can help."""
    one = world.hand_in(world.ann).submission_id
    with world.application.app_context(), writing() as session:
        files = session.get_one(Assignment, world.assignment_id).files
        next(file for file in files if file.path == "assignment.yaml").content = b"points: none\n"
    with pytest.raises(Abort, match="the assignment cannot be used"):
        world.run(jobs.AutomatedGradingJob, one)


@pytest.mark.parametrize(
    "handler", [jobs.AutomatedGradingJob, jobs.NotifyStudentOfSubmissionJob, jobs.CheckForPlagiarismJob]
)
def test_a_submission_that_is_gone_ends_the_job(world: World, handler: type) -> None:
    """A deleted submission is not retried."""
    with pytest.raises(Abort, match="there is no submission 404"):
        world.run(handler, 404)


def test_the_receipt_is_written_once(world: World) -> None:
    """However often the job runs there is one mail, with the fact first, receipt, hash and link."""
    handed_in = world.hand_in(world.ann, name="<b>mine</b>.py")
    for attempt in (1, 2):
        world.run(jobs.NotifyStudentOfSubmissionJob, handed_in.submission_id, attempt=attempt)
    with world.application.app_context():
        [mail] = db.session.scalars(select(OutboxMail)).all()
        assert ("ann@example.com", "kept") == (mail.to, mail.status)
        assert "CS 1 Adding up: received, attempt 1" == mail.subject
        assert re.match(r"Received \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: attempt 1, on time\.\n", mail.text)
        for needed in (handed_in.receipt, f"http://course.example.org/submissions/{handed_in.receipt}"):
            assert needed in mail.text
            assert needed in mail.html
        assert "<b>mine" in mail.text
        assert "<b>mine" not in mail.html


def test_analytics_replaces_the_courses_numbers(world: World) -> None:
    """Each student's newest graded attempt counts, in per cent of the points; again gives the same row."""
    world.run(jobs.AutomatedGradingJob, world.hand_in(world.ann, WRONG).submission_id)
    world.run(jobs.AutomatedGradingJob, world.hand_in(world.ann, RIGHT).submission_id, job_id=2)
    world.run(jobs.AutomatedGradingJob, world.hand_in(world.ben, WRONG + b"#").submission_id, job_id=3)
    world.hand_in(world.ben, RIGHT)
    for attempt in (1, 2):
        result = world.run(jobs.GenerateAnalyticsReportJob, "Adding", attempt=attempt)
    assert {
        "course": "Adding",
        "average_score": 75.0,
        "assignment_count": 1,
        "count": 2,
        "median": 75.0,
    } == result
    with world.application.app_context():
        assert 1 == db.session.scalar(select(func.count()).select_from(CourseSnapshot))
        numbers = snapshots([world.course_id])[world.course_id]
        assert (2, 75.0, 2) == (numbers.students, numbers.mean, sum(numbers.summary.histogram))
        [line] = numbers.assignments
        assert (2, 4, 30.0, 40.0) == (line.authors, line.attempts, line.summary.mean, line.summary.points)
    assert ("INFO", "Generated analytics report") == events(world, "analytics.log")[0][:2]


def test_analytics_of_a_course_that_is_gone_ends_the_job(world: World) -> None:
    """A title that no course has is not retried."""
    with pytest.raises(Abort, match="there is no course 'Gone'"):
        world.run(jobs.GenerateAnalyticsReportJob, "Gone")


def test_a_copy_is_flagged_and_an_original_is_not(world: World) -> None:
    """Renamed work of another student is an ERROR line and a pair; what stands alone is an INFO line."""
    first = world.hand_in(world.ann, ORIGINAL.encode()).submission_id
    second = world.hand_in(world.ben, TWIN.encode()).submission_id
    assert not world.run(jobs.CheckForPlagiarismJob, first)["flagged"]
    assert world.run(jobs.CheckForPlagiarismJob, second)["flagged"]
    world.run(jobs.CheckForPlagiarismJob, second, attempt=2)
    with world.application.app_context():
        [pair] = db.session.scalars(select(SimilarityPair)).all()
        assert (first, second) == (pair.submission_a_id, pair.submission_b_id)
        score = pair.score
    clear, flagged, _ = events(world, "plagiarism.log")
    assert ("INFO", "The Adding assignment was: clear with a score of: 0") == (clear[0], clear[2]["status"])
    assert ("ERROR", "Checked for plagiarism") == flagged[:2]
    assert f"The Adding assignment was: plagiarized with a score of: {score}" == flagged[2]["status"]


def test_a_students_own_attempts_are_not_compared(world: World) -> None:
    """Handing in again what one wrote oneself is no similarity."""
    world.run(jobs.CheckForPlagiarismJob, world.hand_in(world.ann, ORIGINAL.encode()).submission_id)
    again = world.hand_in(world.ann, TWIN.encode()).submission_id
    assert {"score": 0, "flagged": False, "matches": 0} == world.run(jobs.CheckForPlagiarismJob, again)


def test_log_lines_cannot_be_forged(world: World) -> None:
    """A name with a line end and escapes stays one line."""
    from app.academic.activity_log import ANALYTICS, write_event

    with world.application.app_context():
        write_event(ANALYTICS, "Generated\n[x]", {"course": "a\u2028b\x1b[2J\u202e\ud800", "at": dt.date.min})
    [line] = world.log("analytics.log").split("\n")[:-1]
    assert line.isprintable()
    assert "\\u001b" in line


def test_progress_reaches_the_runner(world: World) -> None:
    """While it grades the job says how far it is."""
    one = world.hand_in(world.ann).submission_id
    with world.application.app_context(), as_job(1, 1) as said:
        jobs.AutomatedGradingJob().handle(one)
    assert {"progress"} == {message["kind"] for message in said}
