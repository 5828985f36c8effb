"""Attempts, deadlines, the same bytes again, and attempts that a newer one supersedes."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from app.academic.grades import record_grade
from app.academic.grading.results import GradeReport
from app.academic.jobs import AutomatedGradingJob
from app.academic.models import (
    Assignment,
    AssignmentFile,
    Extension,
    Grade,
    Submission,
    SubmissionFile,
    SubmissionJob,
)
from app.academic.refusals import HandInRefused
from app.academic.submissions import choose_attempt
from app.db import db, writing
from app.runner.models import Job
from tests.academic_world import MANIFEST, RIGHT, WRONG, World, make_world
from tests.zips import zipped

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.conftest import MakeUser, SignIn

NOON = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment that was due at noon."""
    world = make_world(application, make_user, tmp_path / "adding")
    rule(world, due_at=NOON)
    return world


def rule(world: World, **values: Any) -> None:
    """Change the assignment's rules."""
    with world.application.app_context(), writing() as session:
        session.execute(update(Assignment).values(**values))


def extend(world: World, **values: Any) -> None:
    """Give Ann an extension."""
    with world.application.app_context(), writing() as session:
        session.add(
            Extension(assignment_id=world.assignment_id, student_id=world.ann.id, granted_at=NOON, **values)
        )


def graded(world: World, submission_id: int, score: float = 40.0, outcome: Any = "graded") -> None:
    """Record a grade as the job does."""
    report = GradeReport(
        outcome=outcome, verdict="accepted", points=40.0, score=score, raw_score=score / 20, raw_points=2.0
    )
    with world.application.app_context():
        record_grade(submission_id, report, job_id=1, attempt=1, version=1)


def grade_of(world: World, submission_id: int) -> tuple[float | None, float | None, float] | None:
    """Score, score before the penalty, per cent lost."""
    with world.application.app_context():
        grade = db.session.get(Grade, submission_id)
        return None if grade is None else (grade.score, grade.full_score, grade.late_percent)


def superseded(world: World) -> list[int]:
    """The numbers of the attempts that a newer one superseded."""
    with world.application.app_context():
        query = select(Submission.number).where(Submission.superseded_at.is_not(None))
        return list(db.session.scalars(query.order_by(Submission.number)))


def gradings(world: World, submission_id: int) -> list[tuple[str, int]]:
    """Parameters and priority of the grading jobs of a submission."""
    query = (
        select(Job)
        .join(SubmissionJob, SubmissionJob.job_id == Job.id)
        .where(SubmissionJob.kind == "grading", SubmissionJob.submission_id == submission_id)
        .order_by(Job.id)
    )
    with world.application.app_context():
        return [(job.parameters, job.priority) for job in db.session.scalars(query)]


class Noted(io.BytesIO):
    """Notes when it is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.read_at: list[dt.datetime] = []

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and note."""
        self.read_at.append(dt.datetime.now(dt.UTC))
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        """Read and note."""
        self.read_at.append(dt.datetime.now(dt.UTC))
        return super().readinto(buffer)


class TestAttempts:
    """How often, and what spends one."""

    def test_all_used_is_all_used(self, world: World) -> None:
        """The attempt after the last is refused for good; another student has all of them."""
        rule(world, attempts_max=2)
        world.hand_in(world.ann, RIGHT, at=NOON)
        world.hand_in(world.ann, WRONG, at=NOON)
        with pytest.raises(HandInRefused, match="All 2 attempts"):
            world.hand_in(world.ann, b"x = 1", at=NOON + DAY)
        assert world.hand_in(world.ben, at=NOON).is_new

    def test_a_window_says_when_the_next_is_possible(self, world: World) -> None:
        """When the oldest of those that fill the window leaves it."""
        rule(world, window_max=2, window_seconds=86_400)
        for hours, content in enumerate((b"a = 1", b"b = 1")):
            world.hand_in(world.ann, content, at=NOON + hours * HOUR)
        with pytest.raises(HandInRefused, match=r"2 attempts in 24 hours .* on Fri 06 Mar at 12:00 UTC"):
            world.hand_in(world.ann, b"c = 1", at=NOON + 3 * HOUR)
        assert 3 == world.hand_in(world.ann, b"c = 1", at=NOON + DAY).number

    def test_what_cannot_be_graded_spends_none(self, world: World) -> None:
        """Neither work that is not gradable nor an error of the autograder counts."""
        rule(world, attempts_max=1)
        first = world.hand_in(world.ann, b"a = 1", at=NOON)
        graded(world, first.submission_id, outcome="not_gradable")
        second = world.hand_in(world.ann, b"b = 1", at=NOON)
        with world.application.app_context(), writing() as session:
            [job_id] = session.scalars(
                select(SubmissionJob.job_id).where(
                    SubmissionJob.kind == "grading", SubmissionJob.submission_id == second.submission_id
                )
            )
            session.execute(update(Job).where(Job.id == job_id).values(status="failed", finished_at=NOON))
        assert 3 == world.hand_in(world.ann, b"c = 1", at=NOON).number
        with pytest.raises(HandInRefused, match="All 1 attempts"):
            world.hand_in(world.ann, b"d = 1", at=NOON)

    def test_an_extension_gives_more(self, world: World) -> None:
        """Attempts of one student beyond those of the others."""
        rule(world, attempts_max=1)
        extend(world, extra_attempts=1)
        assert [1, 2] == [world.hand_in(world.ann, it, at=NOON).number for it in (RIGHT, WRONG)]
        with pytest.raises(HandInRefused, match="All 2 attempts"):
            world.hand_in(world.ann, b"x = 1", at=NOON)


class TestTheSameBytes:
    """An earlier attempt's bytes again share its result and spend nothing."""

    def test_a_result_that_is_there_is_shared(self, world: World) -> None:
        """No second grading; also when all attempts are used; lateness is the new one's own."""
        rule(world, attempts_max=2, late_percent=10.0)
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        graded(world, first.submission_id)
        world.hand_in(world.ann, WRONG, at=NOON)
        again = world.hand_in(world.ann, RIGHT, at=NOON + HOUR)
        assert (3, 1) == (again.number, again.same_as)
        assert (36.0, 40.0, 10.0) == grade_of(world, again.submission_id)
        assert [] == gradings(world, again.submission_id)

    def test_without_a_result_it_is_graded(self, world: World) -> None:
        """Also when the assignment was changed meanwhile; it spends no attempt all the same."""
        rule(world, attempts_max=2)
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        graded(world, first.submission_id)
        rule(world, version=2)
        world.hand_in(world.ann, WRONG, at=NOON)
        again = world.hand_in(world.ann, RIGHT, at=NOON)
        assert grade_of(world, again.submission_id) is None
        assert 1 == len(gradings(world, again.submission_id))


class TestDeadlines:
    """Late, closed, extended."""

    def test_late_work_loses_points(self, world: World) -> None:
        """The score before and after is kept."""
        rule(world, late_percent=10.0)
        late = world.hand_in(world.ann, at=NOON + DAY + HOUR)
        graded(world, late.submission_id)
        assert (32.0, 40.0, 20.0) == grade_of(world, late.submission_id)

    def test_after_the_last_moment_nothing_is_taken(self, world: World) -> None:
        """The refusal says when it closed."""
        rule(world, late_due_at=NOON + DAY)
        world.hand_in(world.ann, at=NOON + DAY)
        with pytest.raises(HandInRefused, match="closed on Fri 06 Mar 2026 at 12:00 UTC"):
            world.hand_in(world.ben, at=NOON + DAY + HOUR)

    def test_an_extension_holds_for_one_student(self, world: World) -> None:
        """Ann is on time by her own deadline, Ben is late."""
        extend(world, due_at=NOON + DAY)
        for student, is_late in ((world.ann, False), (world.ben, True)):
            taken = world.hand_in(student, at=NOON + HOUR)
            with world.application.app_context():
                assert is_late == db.session.get_one(Submission, taken.submission_id).is_late

    def test_a_draft_takes_nothing(self, world: World) -> None:
        """Before it is published there is nothing to hand in."""
        rule(world, is_published=False)
        with pytest.raises(HandInRefused, match="not open yet"):
            world.hand_in(world.ann, at=NOON)


class TestSuperseding:
    """Only the newest of those that wait is urgent."""

    def test_older_attempts_step_back(self, world: World) -> None:
        """Their jobs end at once and leave no grade; other students' work is not touched."""
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        world.hand_in(world.ben, RIGHT, at=NOON)
        world.hand_in(world.ann, WRONG, at=NOON)
        assert [1] == superseded(world)
        assert "superseded" == world.run(AutomatedGradingJob, first.submission_id)["outcome"]
        assert grade_of(world, first.submission_id) is None

    def test_where_the_best_counts_they_are_graded_later(self, world: World) -> None:
        """Behind everybody's newest, by a job that does not step back."""
        rule(world, counts="best")
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        world.hand_in(world.ann, WRONG, at=NOON)
        one = first.submission_id
        assert [(f"[{one}]", 1), (f"[{one}, true]", 3)] == gradings(world, one)
        assert "graded" == world.run(AutomatedGradingJob, one, True, job_id=9)["outcome"]
        assert [] == superseded(world)

    def test_what_runs_or_is_graded_is_left_alone(self, world: World) -> None:
        """Only what has not begun can step back."""
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        graded(world, first.submission_id)
        world.hand_in(world.ann, WRONG, at=NOON)
        assert [] == superseded(world)

    def test_a_newest_that_cannot_be_graded_brings_the_older_back(self, world: World) -> None:
        """Otherwise a student who sends a broken file last would have nothing."""
        first = world.hand_in(world.ann, RIGHT, at=NOON)
        second = world.hand_in(world.ann, WRONG, at=NOON)
        graded(world, second.submission_id, outcome="not_gradable")
        assert (f"[{first.submission_id}, true]", 1) in gradings(world, first.submission_id)


class TestChoosing:
    """The attempt that counts is the student's choice where the assignment says so."""

    def test_one_is_chosen(self, world: World) -> None:
        """Choosing another takes the mark from the first."""
        rule(world, counts="chosen")
        both = [world.hand_in(world.ann, it, at=NOON).submission_id for it in (RIGHT, WRONG)]
        for submission_id in both:
            with world.application.app_context():
                choose_attempt(db.session.get_one(Submission, submission_id))
                chosen = db.session.scalars(select(Submission.id).where(Submission.is_chosen)).all()
                assert [submission_id] == chosen

    def test_elsewhere_there_is_nothing_to_choose(self, world: World) -> None:
        """The assignment says what counts."""
        taken = world.hand_in(world.ann, at=NOON)
        with world.application.app_context(), pytest.raises(HandInRefused, match="last attempt counts"):
            choose_attempt(db.session.get_one(Submission, taken.submission_id))


class TestThePage:
    """The form as the student sends it."""

    @pytest.fixture
    def ann(self, world: World, sign_in: SignIn) -> FlaskClient:
        """Ann's browser."""
        rule(world, due_at=None)
        return sign_in(world.ann)

    def send(self, client: FlaskClient, world: World, *files: tuple[str, bytes]) -> TestResponse:
        """Hand in files."""
        data = {"file": [(io.BytesIO(content), name) for name, content in files]}
        return client.post(f"/assignments/{world.assignment_id}/hand-in", data=data, follow_redirects=True)

    def test_an_archive_is_taken_apart(self, world: World, ann: FlaskClient) -> None:
        """What was asked for is kept, what was left out is said."""
        archive = zipped(("work/adding.py", RIGHT), ("work/notes.txt", b"x"))
        page = self.send(ann, world, ("work.zip", archive)).text
        assert "Left out of the archive, as nobody asked for it: notes.txt." in page
        with world.application.app_context():
            [kept] = db.session.scalars(select(SubmissionFile))
            assert ("adding.py", RIGHT) == (kept.name, kept.content)

    def test_a_hostile_archive_leaves_nothing(self, world: World, ann: FlaskClient) -> None:
        """One bad entry refuses the whole, with the reason beside the field."""
        answer = self.send(ann, world, ("work.zip", zipped(("../x.py", b"x"), ("adding.py", RIGHT))))
        assert 422 == answer.status_code
        assert "leads out of the archive" in answer.text
        with world.application.app_context():
            assert [] == db.session.scalars(select(Submission)).all()

    def test_several_files_are_graded_together(self, world: World, ann: FlaskClient) -> None:
        """Each under the name that was asked for."""
        rule(world, submit_files="adding.py\nhelping.py")
        files = (
            ("helping.py", b"def plus(a, b):\n    return a + b\n"),
            ("adding.py", b"from helping import plus as add\n"),
        )
        with world.application.app_context(), writing() as session:
            changed = MANIFEST.replace("[adding.py]", "[adding.py, helping.py]").encode()
            session.execute(
                update(AssignmentFile).where(AssignmentFile.path == "assignment.yaml").values(content=changed)
            )
        assert 200 == self.send(ann, world, *files).status_code
        assert "graded" == world.run(AutomatedGradingJob, 1)["outcome"]
        assert (40.0, 40.0, 0.0) == grade_of(world, 1)

    def test_the_student_reads_rules_and_what_is_left(self, world: World, ann: FlaskClient) -> None:
        """Before handing in, not after."""
        rule(world, due_at=NOON, late_percent=10.0, attempts_max=3, counts="best", late_due_at=NOON + DAY)
        page = " ".join(ann.get(f"/assignments/{world.assignment_id}").text.split())
        for told in (
            "loses 10 % of its score for each day that has begun",
            "; nothing is taken after <time",
            "0 of 3 used",
            "your best attempt",
            "Nothing is taken any more since Fri 06 Mar 2026, 12:00.",
        ):
            assert told in page

    def test_what_counts_is_when_the_request_began(self, world: World, ann: FlaskClient) -> None:
        """Before its body is read: a slow line just before the deadline makes nobody late."""
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="adding.py"\r\n\r\n'
        body = Noted(head + RIGHT + b"\r\n--b--\r\n")
        answer = ann.post(
            f"/assignments/{world.assignment_id}/hand-in",
            input_stream=body,
            content_length=len(body.getvalue()),
            content_type="multipart/form-data; boundary=b",
        )
        assert 303 == answer.status_code
        with world.application.app_context():
            [created_at] = db.session.scalars(select(Submission.created_at))
            assert created_at < body.read_at[0]

    def test_the_same_file_is_said(self, world: World, ann: FlaskClient) -> None:
        """That it shares a result and spends nothing."""
        for content in (RIGHT, WRONG):
            self.send(ann, world, ("adding.py", content))
        page = self.send(ann, world, ("adding.py", RIGHT)).text
        assert "byte for byte your attempt 1: it shares its result and spends no attempt" in page

    def test_what_a_newer_attempt_superseded_is_said(self, world: World, ann: FlaskClient) -> None:
        """Otherwise it would look forgotten."""
        for content in (RIGHT, WRONG):
            self.send(ann, world, ("adding.py", content))
        page = ann.get(f"/assignments/{world.assignment_id}").text
        assert 1 == page.count("superseded")
        with world.application.app_context(), writing() as session:
            older = session.scalars(select(Submission).where(Submission.number == 1)).one()
            ended = select(SubmissionJob.job_id).where(SubmissionJob.submission_id == older.id)
            values = {"status": "completed", "finished_at": NOON}
            session.execute(update(Job).where(Job.id.in_(ended)).values(values))
            receipt = older.receipt
        page = ann.get(f"/submissions/{receipt}").text
        assert "left out, as a newer attempt came first" in page
        assert "a newer attempt came before this one" in page

    def test_choosing_is_for_the_author(
        self, world: World, ann: FlaskClient, application: Flask, sign_in: SignIn
    ) -> None:
        """Others find nothing there; staff may not choose for a student."""
        rule(world, counts="chosen")
        path = f"/submissions/{world.hand_in(world.ann).receipt}/choose"
        codes = [
            sign_in(person, client=application.test_client()).post(path).status_code
            for person in (world.ben, world.eve, world.teacher, world.colleague)
        ]
        assert [404, 404, 403, 404] == codes
        assert 303 == ann.post(path).status_code
        with world.application.app_context():
            assert db.session.scalars(select(Submission.is_chosen)).one()
