"""The gradebook: what it shows of whom, a grade changed by hand, a table taken away and brought back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from app.academic import jobs, mail_jobs
from app.academic.gradebook.models import GradeOverride
from app.academic.models import SubmissionJob
from app.accounts.models import AuditEvent, User
from app.db import db, writing
from app.mail.models import OutboxMail
from app.runner.models import Job
from tests.academic_world import RIGHT, WRONG, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.conftest import MakeUser, SignIn


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment; Ann's work is graded with 20 of 40, Ben has handed in nothing."""
    made = make_world(application, make_user, tmp_path / "adding")
    handed_in = made.hand_in(made.ann, WRONG)
    made.run(jobs.AutomatedGradingJob, handed_in.submission_id)
    return made


@pytest.fixture
def teacher(world: World, sign_in: SignIn) -> FlaskClient:
    """The teacher's browser."""
    return sign_in(world.teacher)


def grade_path(world: World, student_id: int) -> str:
    """Where a grade is changed."""
    return f"/assignments/{world.assignment_id}/students/{student_id}/grade"


def book_path(world: World, more: str = "") -> str:
    """Where the gradebook is."""
    return f"/courses/{world.course_id}/gradebook{more}"


def bring(client: FlaskClient, world: World, text: str, **fields: str) -> TestResponse:
    """Send a table."""
    data = {"file": (io.BytesIO(text.encode()), "grades.csv"), "reason": "oral exam", **fields}
    return client.post(book_path(world, "/import"), data=data, content_type="multipart/form-data")


def confirm(client: FlaskClient, world: World, text: str, digest: str) -> TestResponse:
    """Send what the preview's form sends."""
    form = {"text": text, "digest": digest, "reason": "oral exam"}
    return client.post(book_path(world, "/import"), data=form)


def digest_in(page: str) -> str:
    """The digest that a preview holds."""
    return page.partition('name="digest" value="')[2].partition('"')[0]


def audited(world: World) -> list[tuple[str, str, str | None, str | None]]:
    """What the audit log says about grades."""
    query = select(AuditEvent).where(AuditEvent.action.startswith("grade_")).order_by(AuditEvent.id)
    with world.application.app_context():
        return [(row.actor, row.action, row.before, row.after) for row in db.session.scalars(query)]


def overrides(world: World) -> int | None:
    """Count the scores that people have set."""
    with world.application.app_context():
        return db.session.scalar(select(func.count()).select_from(GradeOverride))


def test_the_table_shows_everybody_with_a_mark(world: World, teacher: FlaskClient) -> None:
    """Scores, per cent and who has handed in nothing; each student is a line."""
    page = teacher.get(book_path(world)).text
    for shown in ("Example, Ann", "Example, Ben", ">20</a>", "2 of 2 students", "ann@example.com"):
        assert shown in page
    assert "Example, Eve" not in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=ben", ["Ben"]),
        ("?q=example+ann", ["Ann"]),
        ("?mark=graded", ["Ann"]),
        ("?mark=open", ["Ben"]),
        ("?mark=late", []),
        ("?mark=nonsense&sort=nonsense&assignment=x", ["Ann", "Ben"]),
        ("?order=down", ["Ben", "Ann"]),
        ("?sort=percent&order=down", ["Ann", "Ben"]),
    ],
)
def test_the_table_is_filtered_and_sorted(
    world: World, teacher: FlaskClient, query: str, names: list[str]
) -> None:
    """Filters and order hold for the page and for the download; nothing known stands last."""
    page = teacher.get(book_path(world, query)).text
    places = {name: page.find(f"Example, {name}") for name in ("Ann", "Ben")}
    assert names == [name for name in sorted(places, key=places.__getitem__) if places[name] >= 0]
    rows = teacher.get(book_path(world, f".csv{query}")).text.splitlines()[1:]
    assert names == [row.split(",")[1] for row in rows]


def test_a_person_changes_a_grade_with_a_reason(
    world: World, teacher: FlaskClient, application: Flask, sign_in: SignIn
) -> None:
    """The new score counts, the student reads who and why, and the audit log has both scores."""
    form = {"score": "33,5", "reason": "the test was wrong"}
    assert 303 == teacher.post(grade_path(world, world.ann.id), data=form).status_code
    student = sign_in(world.ann, client=application.test_client())
    for path in ("/", f"/assignments/{world.assignment_id}"):
        assert "33.5" in student.get(path).text
    assert "the test was wrong" in student.get(f"/assignments/{world.assignment_id}").text
    assert "changed by staff: the test was wrong" in teacher.get(book_path(world)).text
    assert [("teacher@example.com", "grade_overridden", None, "33.5: the test was wrong")] == audited(world)


def test_a_changed_grade_can_be_changed_back(world: World, teacher: FlaskClient) -> None:
    """Without the change the tests' score counts again; twice is once."""
    path = grade_path(world, world.ann.id)
    teacher.post(path, data={"score": "1", "reason": "a slip"})
    for _ in range(2):
        assert 303 == teacher.post(path, data={"action": "remove"}).status_code
    assert ">20</a>" in teacher.get(book_path(world)).text
    assert ["grade_overridden", "grade_override_removed"] == [row[1] for row in audited(world)]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"score": "twenty", "reason": "x"}, "Score: &#39;twenty&#39; is not a number."),
        ({"score": "nan", "reason": "x"}, "is not between 0 and 80"),
        ({"score": "-1", "reason": "x"}, "is not between 0 and 80"),
        ({"score": "81", "reason": "x"}, "is not between 0 and 80"),
        ({"score": "20", "reason": "  "}, "Reason: expected 1 to 500 characters"),
        ({"score": "20", "reason": "x" * 501}, "there are 501"),
    ],
)
def test_a_wrong_change_is_explained(
    world: World, teacher: FlaskClient, form: dict[str, str], problem: str
) -> None:
    """The page names the field and what was expected, and nothing is changed."""
    answer = teacher.post(grade_path(world, world.ann.id), data=form)
    assert (422, 0) == (answer.status_code, overrides(world))
    assert problem in answer.text


def test_only_a_student_of_the_course_has_a_grade_in_it(world: World, teacher: FlaskClient) -> None:
    """Who does not take the course is not found."""
    assert 404 == teacher.get(grade_path(world, world.eve.id)).status_code
    assert 404 == teacher.post(grade_path(world, world.eve.id), data={"score": "1"}).status_code


def test_a_download_sent_back_changes_nothing(world: World, teacher: FlaskClient) -> None:
    """The table that was taken away is one that can be brought back, and it says what is there."""
    answer = bring(teacher, world, teacher.get(book_path(world, ".csv")).text)
    assert 200 == answer.status_code
    assert "0 scores change, 1 are the same already." in answer.text


def test_an_import_changes_scores_only_after_a_look(world: World, teacher: FlaskClient) -> None:
    """First the changes are shown; confirmed they are made, each with reason and audit row."""
    text = "e-mail;adding\nBEN@example.com;12,5\nann@example.com;\n"
    shown = bring(teacher, world, text)
    assert (200, 0) == (shown.status_code, overrides(world))
    assert "1 scores change" in shown.text
    assert 303 == confirm(teacher, world, text, digest_in(shown.text)).status_code
    assert [("teacher@example.com", "grade_overridden", None, "12.5: oral exam")] == audited(world)


def test_an_import_that_nobody_has_seen_changes_nothing(world: World, teacher: FlaskClient) -> None:
    """When a score changed since the look, the person looks again."""
    text = "e-mail,adding\nben@example.com,12\n"
    digest = digest_in(bring(teacher, world, text).text)
    teacher.post(grade_path(world, world.ben.id), data={"score": "7", "reason": "meanwhile"})
    answer = confirm(teacher, world, text, digest)
    assert 200 == answer.status_code
    assert "Scores have changed since you looked." in answer.text
    assert 1 == overrides(world)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a row of names"),
        ("e-mail,adding\n", "expected a row of names"),
        ("name,adding\nx,1\n", "Row 1, column 1: &#39;name&#39; is no assignment. There are: adding."),
        ("adding\n1\n", "there is no column &#39;e-mail&#39;"),
        ("e-mail,adding,adding\nben@example.com,1,2\n", "&#39;adding&#39; is there twice"),
        ("e-mail,adding\neve@example.com,1\n", "Row 2, column e-mail: &#39;eve@example.com&#39; is nobody"),
        ("e-mail,adding\nben@example.com,1\nBen@example.com,2\n", "Row 3, column e-mail"),
        ("e-mail,adding\nben@example.com,many\n", "Row 2, column adding: Score: &#39;many&#39;"),
        ("e-mail,adding\nben@example.com,1e999\n", "Row 2, column adding: Score: inf"),
        ('e-mail,adding\n"ben@example.com,1\n', "not a CSV file"),
        ("e-mail,adding\nben@example.com,1\x00\n", "NUL"),
    ],
)
def test_a_wrong_table_is_explained_by_row_and_column(
    world: World, teacher: FlaskClient, text: str, problem: str
) -> None:
    """Every problem has its place, and nothing is changed."""
    answer = bring(teacher, world, text)
    assert (422, 0) == (answer.status_code, overrides(world))
    assert problem in answer.text


def test_a_table_in_another_encoding_is_refused(world: World, teacher: FlaskClient) -> None:
    """Bytes that are no UTF-8 are told by their place."""
    data = {"file": (io.BytesIO(b"e-mail,adding\n\xff,1\n"), "grades.csv"), "reason": "x"}
    answer = teacher.post(book_path(world, "/import"), data=data, content_type="multipart/form-data")
    assert 422 == answer.status_code
    assert "File: byte 15 is not UTF-8" in answer.text


def test_cells_are_no_formulas(world: World, teacher: FlaskClient) -> None:
    """A name that begins like a formula is kept from being one."""
    with world.application.app_context(), writing() as session:
        session.get_one(User, world.ben.id).last_name = "=cmd|' /C calc'!A0"
    assert "'=cmd|" in teacher.get(book_path(world, ".csv")).text


def test_nobody_else_reads_or_changes_grades(world: World, application: Flask, sign_in: SignIn) -> None:
    """Students and instructors of other courses find nothing."""
    for person in (world.ann, world.eve, world.colleague):
        browser = sign_in(person, client=application.test_client())
        for path in (book_path(world), book_path(world, ".csv"), book_path(world, "/import")):
            assert 404 == browser.get(path).status_code
        answer = browser.post(grade_path(world, world.ann.id), data={"score": "40", "reason": "mine"})
        assert 404 == answer.status_code
        assert 404 == bring(browser, world, "e-mail,adding\nann@example.com,40\n").status_code
    assert 0 == overrides(world)


def test_work_that_waits_or_cannot_be_graded_is_said_so(world: World, teacher: FlaskClient) -> None:
    """A new attempt waits for its grade; the score that counts meanwhile is still shown."""
    world.hand_in(world.ann, RIGHT)
    page = teacher.get(book_path(world)).text
    assert "waiting for its grade" in page
    assert ">20</a>" in page


def test_grading_is_paused_and_grades_are_read_by_command(world: World) -> None:
    """The verbs of the pages, for scripts; a wrong name is told with those that exist."""
    run = world.application.test_cli_runner().invoke
    assert "grading is paused" in run(args=["academic", "pause", "CS 1", "adding", "--reason", "x"]).output
    assert "was paused already" in run(args=["academic", "pause", "CS 1", "adding", "--reason", "x"]).output
    assert "0 submissions had waited" in run(args=["academic", "resume", "CS 1", "adding"]).output
    assert 1 == run(args=["academic", "resume", "CS 1", "adding"]).exit_code
    assert "Example,Ann,ann@example.com,20.0,graded,50.0" in run(args=["academic", "grades", "CS 1"]).output
    assert "it has: adding" in run(args=["academic", "pause", "CS 1", "x", "--reason", "x"]).output
    assert "there are: CS 1, CS 2" in run(args=["academic", "grades", "CS 9"]).output
    assert 2 == run(args=["academic", "pause", "CS 1", "adding", "--reason", " "]).exit_code


def test_a_changed_grade_is_told_by_mail(world: World, teacher: FlaskClient) -> None:
    """The student is told once of a score set by hand, with the reason, and once when it is taken away."""

    def subjects() -> list[str]:
        world.run(mail_jobs.SendGradeMailJob, world.assignment_id, world.ann.id)
        with world.application.app_context():
            query = select(OutboxMail.subject).where(OutboxMail.kind.in_(("grade", "grade-changed")))
            return list(db.session.scalars(query.order_by(OutboxMail.id)))

    assert len(subjects()) == 1
    path = grade_path(world, world.ann.id)
    teacher.post(path, data={"score": "33.5", "reason": "the test was wrong"})
    assert ["changed: 33.5 of 40 points, changed by staff, attempt 1"] == [
        it.partition(": ")[2] for it in subjects()[1:]
    ]
    assert len(subjects()) == 2
    with world.application.app_context():
        text = db.session.scalars(select(OutboxMail.text).order_by(OutboxMail.id)).all()[-1]
        assert "Reason: the test was wrong" in text
        assert "failed" not in text
    teacher.post(path, data={"action": "remove"})
    assert "20 of 40" in subjects()[-1]


def test_an_autograder_that_broke_is_nobodys_zero(world: World, teacher: FlaskClient) -> None:
    """When grading failed for good the table says so: neither missing, nor waiting, nor a score."""
    one = world.hand_in(world.ben)
    with world.application.app_context(), writing() as session:
        grading = select(SubmissionJob.job_id).where(
            SubmissionJob.submission_id == one.submission_id, SubmissionJob.kind == "grading"
        )
        ended = {"status": "failed", "finished_at": func.now()}
        session.execute(update(Job).where(Job.id == grading.scalar_subquery()).values(**ended))
    assert "grading failed" in teacher.get(book_path(world, "?q=ben")).text
    assert "Example, Ben" in teacher.get(book_path(world, "?mark=failed")).text
    assert "Example, Ann" not in teacher.get(book_path(world, "?mark=failed")).text
