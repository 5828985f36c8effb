"""Statistics of an assignment and of a course, and whom to look after: pages, tables, who sees them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from app.academic import jobs
from app.academic.gradebook.models import AssignmentSnapshot, Concern
from app.academic.models import Assignment, Submission
from app.accounts.models import AuditEvent
from app.db import db, writing
from tests.academic_world import RIGHT, WRONG, World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Ann has handed in twice, wrong and right; Ben nothing; the deadline is over since an hour ago."""
    made = make_world(application, make_user, tmp_path / "adding")
    for content in (WRONG, RIGHT):
        handed_in = made.hand_in(made.ann, content)
        made.run(jobs.AutomatedGradingJob, handed_in.submission_id)
    now = dt.datetime.now(dt.UTC)
    with application.app_context(), writing() as session:
        session.get_one(Assignment, made.assignment_id).due_at = now - dt.timedelta(hours=1)
        session.execute(update(Submission).values(created_at=now - dt.timedelta(hours=2, minutes=30)))
    made.run(jobs.GenerateAnalyticsReportJob, "Adding")
    return made


@pytest.fixture
def teacher(world: World, sign_in: SignIn) -> FlaskClient:
    """The teacher's browser."""
    return sign_in(world.teacher)


def numbers(text: str) -> dict[tuple[str, str, str], str]:
    """Read a table of figures."""
    rows = list(csv.reader(io.StringIO(text)))
    assert ["part", "of", "figure", "value"] == rows[0]
    return {(part, of, figure): value for part, of, figure, value in rows[1:]}


def test_an_assignment_in_numbers(world: World, teacher: FlaskClient) -> None:
    """Who handed in, scores, hours to the deadline, attempts, tests: the page has all of it."""
    page = teacher.get(f"/assignments/{world.assignment_id}/statistics").text
    for shown in (
        "of 2 handed in",
        "2 submissions in 2 steps from -2 to 0",
        "Submissions per hour, in hours to the deadline",
        "Students by number of attempts",
        "Small numbers are added.",
        "1 of 1, 100 %",
        "everybody passes",
        "the last with a score",
    ):
        assert shown in page
    assert 'style="' not in page


def test_the_table_has_the_numbers_of_the_page(world: World, teacher: FlaskClient) -> None:
    """Counts, means and tests, figure by figure."""
    answer = teacher.get(f"/assignments/{world.assignment_id}/statistics.csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    found = numbers(answer.text)
    title = "Adding up"
    assert {"2", "1", "0"} == {
        found["counts", title, "enrolled"],
        found["counts", title, "missing"],
        found["counts", title, "late"],
    }
    assert ("40.0", "20.0", "40.0") == tuple(
        found[part, title, "mean"] for part in ("counting", "first", "best")
    )
    assert "2" == found["hours to the deadline", "from -2 to -1", "submissions"]
    assert "1" == found["attempts per student", "2", "students"]
    assert "1.0" == found["test", "Small numbers are added.", "pass rate"]
    course = numbers(teacher.get(f"/courses/{world.course_id}/statistics.csv").text)
    assert "100.0" == course["course, per cent", "", "mean"]
    assert "1" == course["assignment", title, "missing"]


def test_the_job_computes_again_only_what_has_changed(world: World, teacher: FlaskClient) -> None:
    """The same again leaves the row as it is; a changed grade makes it anew, one row per version."""

    def rows() -> list[tuple[int, dt.datetime]]:
        with world.application.app_context():
            return [(row.version, row.computed_at) for row in db.session.scalars(select(AssignmentSnapshot))]

    before = rows()
    world.run(jobs.GenerateAnalyticsReportJob, "Adding")
    assert before == rows()
    path = f"/assignments/{world.assignment_id}/students/{world.ann.id}/grade"
    teacher.post(path, data={"score": "10", "reason": "a copy"})
    world.run(jobs.GenerateAnalyticsReportJob, "Adding")
    after = rows()
    assert [1] == [version for version, _ in after]
    assert before != after
    found = numbers(teacher.get(f"/assignments/{world.assignment_id}/statistics.csv").text)
    assert "10.0" == found["counting", "Adding up", "mean"]


def test_before_the_job_has_run_there_are_no_numbers(
    world: World, sign_in: SignIn, application: Flask
) -> None:
    """The page says so, the table is not there."""
    browser = sign_in(world.admin, client=application.test_client())
    with application.app_context(), writing() as session:
        session.get_one(Assignment, world.assignment_id).version = 2
    assert "No numbers yet" in browser.get(f"/assignments/{world.assignment_id}/statistics").text
    assert 404 == browser.get(f"/assignments/{world.assignment_id}/statistics.csv").status_code


def watch(world: World, more: str = "") -> str:
    """Where staff look whom to look after."""
    return f"/courses/{world.course_id}/watch{more}"


def test_a_rule_names_whom_to_look_after(world: World, teacher: FlaskClient) -> None:
    """Ben has handed in nothing: one rule finds that his per cent are low, the other asks for two missing."""
    page = teacher.get(watch(world)).text
    assert "Example, Ben" in page
    assert "0 % so far, below 50 %" in page
    assert "1 missing" not in page
    rules = {"missing": "1", "late": "0", "below_percent": "0", "drop_percent": "0"}
    assert 303 == teacher.post(watch(world, "/rules"), data=rules).status_code
    page = teacher.get(watch(world)).text
    assert "1 missing: Adding up" in page
    assert "0 % so far" not in page


def test_what_was_done_is_kept_until_there_is_more(world: World, teacher: FlaskClient) -> None:
    """Contacted is not open any more; when the rule finds more than then, it is open again."""
    path = watch(world, f"/{world.ben.id}/below")
    answer = teacher.post(path, data={"state": "contacted", "note": "wrote to him"})
    assert 303 == answer.status_code
    page = teacher.get(watch(world)).text
    assert "wrote to him" in page
    assert ">contacted<" in page
    with world.application.app_context(), writing() as session:
        session.scalars(select(Concern)).one().fact = "4"
    assert ">contacted<" not in teacher.get(watch(world)).text
    with world.application.app_context():
        query = select(AuditEvent.after).where(AuditEvent.action == "concern_decided")
        assert ["contacted: 0 % so far, below 50 %"] == list(db.session.scalars(query))
    teacher.post(path, data={"state": "open"})
    with world.application.app_context():
        assert None is db.session.scalar(select(Concern))


@pytest.mark.parametrize(
    ("more", "form", "status"),
    [
        ("/{ben}/below", {"state": "ignored"}, 422),
        ("/{ben}/below", {"state": "resolved", "note": "x" * 501}, 422),
        ("/{ben}/missing", {"state": "resolved"}, 404),
        ("/{ann}/below", {"state": "resolved"}, 404),
        ("/{ben}/nonsense", {"state": "resolved"}, 404),
        ("/rules", {}, 422),
        ("/rules", {"missing": "-1", "late": "1", "below_percent": "1", "drop_percent": "1"}, 422),
        ("/rules", {"missing": "101", "late": "1", "below_percent": "1", "drop_percent": "1"}, 422),
        ("/rules", {"missing": "٣", "late": "1", "below_percent": "1", "drop_percent": "1"}, 422),
    ],
)
def test_what_is_no_finding_and_no_rule_is_refused(
    world: World, teacher: FlaskClient, more: str, form: dict[str, str], status: int
) -> None:
    """Nothing is kept, and what is wrong is said."""
    path = watch(world, more.format(ben=world.ben.id, ann=world.ann.id))
    assert status == teacher.post(path, data=form).status_code
    with world.application.app_context():
        assert None is db.session.scalar(select(Concern))


def test_nobody_else_sees_numbers_or_names(world: World, application: Flask, sign_in: SignIn) -> None:
    """Students and instructors of other courses find nothing of it."""
    paths = [f"/assignments/{world.assignment_id}/statistics", f"/courses/{world.course_id}/statistics"]
    for person in (world.ann, world.eve, world.colleague):
        browser = sign_in(person, client=application.test_client())
        for path in (*paths, *(f"{path}.csv" for path in paths), watch(world)):
            assert 404 == browser.get(path).status_code
        assert 404 == browser.post(watch(world, "/rules"), data={"missing": "1"}).status_code
        decided = browser.post(watch(world, f"/{world.ben.id}/below"), data={"state": "resolved"})
        assert 404 == decided.status_code
