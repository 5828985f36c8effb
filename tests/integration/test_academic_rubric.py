"""Judging by hand in the browser: who may, what is kept, and what the student sees before and after."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest

from app.academic import jobs
from app.academic.assignments import import_folder
from app.academic.mail_jobs import SendGradeMailJob
from app.academic.mail_models import ToldGrade
from app.academic.models import Assignment, Course, Grade
from app.academic.submissions import hand_in
from app.academic.uploads import Upload
from app.accounts.models import User
from app.db import db, writing
from tests.academic_world import World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from app.academic.submissions import HandedIn
    from tests.conftest import MakeUser, SignIn

MANIFEST = """\
title: Design
points: 20
submit: {files: [design.md]}
similarity: {kind: none}
parts:
  - type: rubric
    criteria:
      - {name: Structure, max: 6, items: [[-2, no headings], [-1, typing errors]]}
      - {name: Ideas, max: 4, items: [[-3, only one]]}
"""


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses and their people."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def essays(world: World, tmp_path: Path) -> list[HandedIn]:
    """Ann's and Ben's documents, graded as far as a machine can, for an assignment with a rubric."""
    folder = tmp_path / "design"
    folder.mkdir()
    (folder / "assignment.yaml").write_text(MANIFEST, "utf-8")
    with world.application.app_context():
        with writing() as session:
            course = session.get_one(Course, world.course_id)
            assignment_id = import_folder(session, course, folder).id
        assignment = db.session.get_one(Assignment, assignment_id)
        sent = [
            hand_in(
                db.session.get_one(User, student.id),
                assignment,
                [Upload(name="design.md", content=f"# Plan of {student.first_name}\n".encode())],
            )
            for student in (world.ann, world.ben)
        ]
    for number, one in enumerate(sent, start=1):
        world.run(jobs.AutomatedGradingJob, one.submission_id, job_id=number)
    return sent


def form(client: FlaskClient, receipt: str) -> dict[str, str]:
    """Give the hidden fields of the page that judges."""
    page = client.get(f"/submissions/{receipt}/rubric").text
    assert "Structure" in page
    return {"key-0": "c0-Structure", "key-1": "c0-Ideas", "then": "next"}


def grade_of(world: World, sent: HandedIn) -> tuple[str, float | None]:
    """Give outcome and score of a submission."""
    with world.application.app_context():
        grade = db.session.get_one(Grade, sent.submission_id)
        return grade.outcome, grade.score


def told(world: World) -> list[int]:
    """Run the job that tells Ann of her grades; give the submissions of which anybody was told one."""
    with world.application.app_context():
        assignment_id = db.session.scalars(db.select(Assignment.id).where(Assignment.title == "Design")).one()
    world.run(SendGradeMailJob, assignment_id, world.ann.id, job_id=50)
    with world.application.app_context():
        return list(db.session.scalars(db.select(ToldGrade.submission_id)))


def test_a_document_waits_for_a_person(
    world: World, essays: list[HandedIn], client: FlaskClient, sign_in: SignIn
) -> None:
    """Nothing is a zero before a person has judged, and the student reads that it waits."""
    assert ("waiting", None) == grade_of(world, essays[0])
    assert [] == told(world)
    sign_in(world.ann)
    page = client.get(f"/submissions/{essays[0].receipt}").text
    assert "A person has yet to judge a part of this." in page
    assert "could not be graded" not in page


def test_an_instructor_judges_one_after_the_other(
    world: World, essays: list[HandedIn], client: FlaskClient, sign_in: SignIn
) -> None:
    """Items, a change and a comment make the total; saving leads to the next one that waits."""
    sign_in(world.teacher)
    ann, ben = essays
    marks = {
        **form(client, ann.receipt),
        "item-0": ["0", "1"],
        "change-0": "+0.5",
        "comment-1": "Good <b>ideas</b>",
    }
    answer = client.post(f"/submissions/{ann.receipt}/rubric/mark", data=marks)
    assert f"/submissions/{ben.receipt}/rubric" == answer.headers["Location"]
    # 3.5 of 6 and 4 of 4: 7.5 of 10, scaled to 20.
    assert ("graded", 15.0) == grade_of(world, ann)
    assert [ann.submission_id] == told(world)
    more = {**form(client, ben.receipt), "new-text-1": "copied the example", "new-points-1": "-2"}
    answer = client.post(f"/submissions/{ben.receipt}/rubric/mark", data=more)
    assert answer.headers["Location"].endswith("/to-judge")
    assert "Nobody waits" in client.get(answer.headers["Location"]).text
    assert "copied the example" in client.get(f"/submissions/{ann.receipt}/rubric").text
    own = sign_in(world.ann, client=world.application.test_client())
    page = own.get(f"/submissions/{ann.receipt}").text
    assert "-2  no headings" in page
    assert "tests passed" not in page
    assert html.escape("Good <b>ideas</b>") in page


def test_a_regrade_keeps_what_people_marked(
    world: World, essays: list[HandedIn], client: FlaskClient, sign_in: SignIn
) -> None:
    """Grading again makes the automatic parts anew; what a person found still counts."""
    sign_in(world.teacher)
    client.post(f"/submissions/{essays[0].receipt}/rubric/mark", data=form(client, essays[0].receipt))
    world.run(jobs.AutomatedGradingJob, essays[0].submission_id, job_id=7)
    assert ("graded", 20.0) == grade_of(world, essays[0])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("change-0", "many", "Structure: expected points such as -2 or 0.5"),
        ("change-1", "nan", "Ideas: expected points"),
        ("comment-0", "x" * 4001, "Structure: expected at most 4000 characters"),
        ("key-0", "c0-Style", "The criteria changed while you judged"),
    ],
)
def test_what_cannot_be_kept_is_named(
    world: World,
    essays: list[HandedIn],
    client: FlaskClient,
    sign_in: SignIn,
    field: str,
    value: str,
    said: str,
) -> None:
    """A mark that makes no sense keeps nothing, and says where it is and what was expected."""
    sign_in(world.teacher)
    answer = client.post(
        f"/submissions/{essays[0].receipt}/rubric/mark",
        data={**form(client, essays[0].receipt), field: value},
    )
    assert 422 == answer.status_code
    assert said in html.unescape(answer.text)
    assert ("waiting", None) == grade_of(world, essays[0])


@pytest.mark.parametrize("person", ["ann", "ben", "eve", "colleague"])
def test_only_staff_of_the_course_judges(
    world: World, essays: list[HandedIn], client: FlaskClient, sign_in: SignIn, person: str
) -> None:
    """For students and for instructors of other courses these pages do not exist."""
    sign_in(getattr(world, person))
    with world.application.app_context():
        assignment_id = db.session.scalars(db.select(Assignment.id).where(Assignment.title == "Design")).one()
    receipt = essays[0].receipt
    assert [404, 404, 404] == [
        client.get(f"/submissions/{receipt}/rubric").status_code,
        client.post(f"/submissions/{receipt}/rubric/mark", data={}).status_code,
        client.get(f"/assignments/{assignment_id}/to-judge").status_code,
    ]
