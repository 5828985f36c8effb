"""Questions answered in a form: what it shows, keeps and refuses, and what the answers come to."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from app.academic import jobs
from app.academic.assignments import import_folder
from app.academic.models import Assignment, Course, Grade, Submission
from app.db import db, writing
from tests.academic_world import World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn

MANIFEST = """\
title: Counting
points: 10
parts:
  - type: answer-key
    questions:
      - {id: pi, prompt: "What is <pi> to two digits?", kind: decdig, key: 3.14159, points: 2}
      - {id: law, prompt: Whose law is it, kind: single_choice, options: [Bayes, De Morgan], key: De Morgan}
      - {id: primes, prompt: Primes, kind: multi_choice, options: ["2", "3", "4"], key: ["2", "3"], points: 2}
      - {id: zero, prompt: Zero is even., kind: boolean, key: true}
      - {id: evens, prompt: Name the even ones of 1 to 4., kind: set, key: "{2, 4}", visibility: hidden}
"""
RIGHT = {
    "answer-1": "22/7",
    "answer-2": "De Morgan",
    "answer-3": ["2", "3"],
    "answer-4": "true",
    "answer-5": "4, 2",
}


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses and their people."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def address(world: World, tmp_path: Path) -> str:
    """The page of an assignment that is a form."""
    folder = tmp_path / "counting"
    folder.mkdir()
    (folder / "assignment.yaml").write_text(MANIFEST, "utf-8")
    with world.application.app_context(), writing() as session:
        made = import_folder(session, session.get_one(Course, world.course_id), folder)
        assert "none" == made.similarity_kind
        return f"/assignments/{made.id}"


def newest(world: World) -> Submission | None:
    """Give the newest submission, its file read."""
    with world.application.app_context():
        found = db.session.scalar(select(Submission).order_by(Submission.id.desc()).limit(1))
        if found is not None:
            _ = found.files
        return found


def test_a_form_takes_the_place_of_a_file(
    world: World, address: str, client: FlaskClient, sign_in: SignIn
) -> None:
    """Every question has a label or a legend and its own kind of field; no file is asked for."""
    sign_in(world.ann)
    page = client.get(address).text
    assert html.escape("What is <pi> to two digits?") in page
    assert 'type="file"' not in page
    controls = re.findall(r'name="answer-(\d)"\s+type="(\w+)"', page)
    assert [("2", "radio")] * 2 + [("3", "checkbox")] * 3 + [("4", "radio")] * 2 == controls
    labelled = set(re.findall(r'<label for="(answer-[\w-]+)"', page))
    assert set(re.findall(r'<input id="(answer-[\w-]+)"', page)) == labelled
    assert "De Morgan" in page
    assert "3.14159" not in page


def test_answers_are_kept_and_judged(
    world: World, address: str, client: FlaskClient, sign_in: SignIn
) -> None:
    """What was written is the submission's file and comes back in the form; each question has its points."""
    sign_in(world.ann)
    sent = client.post(f"{address}/hand-in", data={**RIGHT, "answer-3": ["2"], "answer-5": "{2}"})
    assert 303 == sent.status_code
    made = newest(world)
    assert made is not None
    told = {"pi": "22/7", "law": "De Morgan", "primes": "2", "zero": "true", "evens": "{2}"}
    assert {"answers": told} == json.loads(made.files[0].content)
    world.run(jobs.AutomatedGradingJob, made.id, job_id=1)
    with world.application.app_context():
        grade = db.session.get_one(Grade, made.id)
        # 2 + 1 + 1 of 2 + 1 + 0 of 1: 5 of 7.
        assert ("graded", 7.14) == (grade.outcome, grade.score)
    page = client.get(sent.headers["Location"]).text
    assert "Partly right." in page
    assert "Name the even ones" not in page
    assert re.search(r'value="22/7"', client.get(address).text)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"answer-1": "about three"}, "1 answer could not be read: nothing was handed in yet."),
        ({"answer-1": "3,1,4", "answer-5": "{2"}, "2 answers could not be read"),
        ({"answer-2": "Euler"}, "it is none of the options"),
        ({"answer-1": "  "}, "There is no answer in the form yet"),
        ({}, "There is no answer in the form yet"),
    ],
)
def test_what_cannot_be_read_spends_no_attempt(
    world: World, address: str, client: FlaskClient, sign_in: SignIn, answers: dict[str, str], said: str
) -> None:
    """The form comes back with what was written and the reason beside each field; nothing is stored."""
    sign_in(world.ann)
    answer = client.post(f"{address}/hand-in", data=answers)
    assert 422 == answer.status_code
    assert said in html.unescape(answer.text)
    for text in answers.values():
        assert not text.strip() or text == "Euler" or html.escape(text) in answer.text
    assert newest(world) is None


def test_the_same_answers_again_are_one_attempt(
    world: World, address: str, client: FlaskClient, sign_in: SignIn
) -> None:
    """The order of a browser's fields makes no other file."""
    sign_in(world.ann)
    for data in (RIGHT, dict(reversed(RIGHT.items()))):
        assert 303 == client.post(f"{address}/hand-in", data=data).status_code
    with world.application.app_context():
        assert 1 == db.session.scalar(select(func.count()).select_from(Submission))


def test_only_those_who_take_the_course_see_the_form(
    world: World, address: str, client: FlaskClient, sign_in: SignIn
) -> None:
    """For a student of another course the form does not exist."""
    sign_in(world.eve)
    assert [404, 404] == [
        client.get(address).status_code,
        client.post(f"{address}/hand-in", data=RIGHT).status_code,
    ]
    with world.application.app_context():
        assert db.session.scalar(select(func.count()).select_from(Assignment)) == 2
