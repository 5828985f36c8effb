"""The pages about similar work: pairs, clusters, evidence, verdicts, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.academic import jobs
from app.academic.similarity.models import SimilarityPair
from app.accounts.models import AuditEvent
from app.db import db
from app.runner.models import Job
from bench.disguise import renamed
from tests.academic_world import World, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn

ORIGINAL = (
    "# counts by hand\n"
    + "".join(
        f"def step_{name}(rows):\n    total = {number}\n    for row in rows:\n"
        f"        if row > total and row % {number + 2}:\n            total += row * {number + 3}\n"
        f"    return [total, len(rows) - {number}]\n\n\n"
        for number, name in enumerate(("one", "two", "three", "four"))
    )
    + "def add(a, b):\n    return a + b\n"
)
PEOPLE = ("admin", "teacher", "colleague", "ann", "ben", "eve")


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def pair_id(world: World) -> int:
    """Ben's second attempt is Ann's work with other names."""
    for student, source in (
        (world.ann, ORIGINAL),
        (world.ben, "def add(a, b):\n    return b\n"),
        (world.ben, renamed(ORIGINAL)),
    ):
        handed_in = world.hand_in(student, source.encode())
        world.run(jobs.CheckForPlagiarismJob, handed_in.submission_id)
    with world.application.app_context():
        found = db.session.scalars(select(SimilarityPair).where(SimilarityPair.score >= 50)).one()
        return found.id


@pytest.fixture
def teacher(world: World, sign_in: SignIn) -> FlaskClient:
    """Who teaches the course."""
    return sign_in(world.teacher)


def similar(world: World, suffix: str = "") -> str:
    """Give the address of the assignment's pairs."""
    return f"/assignments/{world.assignment_id}/similarity{suffix}"


def test_only_staff_of_the_course_may_do_anything(
    world: World, pair_id: int, application: Flask, sign_in: SignIn
) -> None:
    """To everybody else pairs, lists and what one does with them do not exist."""
    for name in PEOPLE:
        browser = sign_in(getattr(world, name), client=application.test_client())
        is_staff = name in ("admin", "teacher")
        assert (200 if is_staff else 404) == browser.get(similar(world, ".csv")).status_code
        for path in (similar(world, "/names"), similar(world, "/compare"), f"/similarity/{pair_id}/decide"):
            answer = browser.post(path, data={"verdict": "open", "hide": "no"})
            assert (303 if is_staff else 404) == answer.status_code
    anonymous = application.test_client()
    assert 302 == anonymous.get(similar(world, ".csv")).status_code


def test_the_list_shows_pairs_and_clusters(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """Most alike first, with what hangs together, and never the word proof alone."""
    page = teacher.get(similar(world)).text
    assert f"/similarity/{pair_id}" in page
    assert "Cluster 1" in page
    assert "Ann Example, Ben Example" in page
    assert "Similarity, not proof" in page


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("at_least=50", True),
        ("at_least=100&verdict=confirmed", False),
        ("verdict=open", True),
        ("verdict=dismissed", False),
        ("verdict=nonsense", True),
        ("text=ANN", True),
        ("text=nobody", False),
        ("cluster=1", True),
        ("cluster=7", False),
        ("at_least=many&cluster=x", True),
    ],
)
def test_pairs_are_filtered(
    world: World, pair_id: int, teacher: FlaskClient, query: str, *, is_found: bool
) -> None:
    """By score, verdict, student and cluster; what is no filter is left out, and nothing found is said."""
    page = teacher.get(similar(world, f"?{query}")).text
    assert is_found == (f"/similarity/{pair_id}" in page)
    assert is_found != ("No pair is like that" in page)


def test_names_can_be_hidden(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """On list, pair and download students are numbers then, until the names are wanted again."""
    assert 303 == teacher.post(similar(world, "/names"), data={"hide": "yes"}).status_code
    for path in (similar(world), f"/similarity/{pair_id}", similar(world, ".csv")):
        page = teacher.get(path).text
        assert "Student 1" in page
        assert "Student 2" in page
        assert "Ann" not in page
    answer = teacher.post(similar(world, "/names"), data={"hide": "no", "pair": str(pair_id)})
    assert f"/similarity/{pair_id}" == answer.headers["Location"]
    assert "Ann Example" in teacher.get(f"/similarity/{pair_id}").text


def test_a_pair_shows_evidence_and_timeline(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """Why, how rare, when, and where the pair stands in the class."""
    page = teacher.get(f"/similarity/{pair_id}").text
    assert "seen nowhere else" in page
    assert "same structure, names changed" in page
    assert "Ben Example, attempt 1" in page
    assert "Ben Example, attempt 2" in page
    assert "this pair" in page
    assert "the same but for names" in page


def test_a_verdict_is_in_the_audit_log(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """Who decided what, with the state before; a dismissed pair makes no cluster."""
    data = {"verdict": "dismissed", "note": "worked together"}
    teacher.post(f"/similarity/{pair_id}/decide", data=data)
    with world.application.app_context():
        event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "similarity_decided")).one()
        assert (f"similarity:{pair_id}", "open", "dismissed: worked together", world.teacher.email) == (
            event.subject,
            event.before,
            event.after,
            event.actor,
        )
    assert "Cluster 1" not in teacher.get(similar(world)).text


def test_pairs_can_be_taken_along(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """A table for spreadsheets with verdict and note, in which no cell is a formula."""
    teacher.post(f"/similarity/{pair_id}/decide", data={"verdict": "confirmed", "note": "=1+1"})
    answer = teacher.get(similar(world, ".csv"))
    assert "Ann Example,1,Ben Example,2," in answer.text
    assert "confirmed,'=1+1" in answer.text
    assert "adding-similarity.csv" in answer.headers["Content-Disposition"]


def test_a_whole_class_is_compared_again(world: World, pair_id: int, teacher: FlaskClient) -> None:
    """The button enqueues one job however often it is pressed; the job keeps what a person said."""
    teacher.post(f"/similarity/{pair_id}/decide", data={"verdict": "confirmed"})
    for _ in range(2):
        teacher.post(similar(world, "/compare"))
    with world.application.app_context():
        query = select(Job.unique_key).where(Job.class_name == "app.academic.jobs.CompareClassJob")
        keys = db.session.scalars(query).all()
        assert [f"comparison:{world.assignment_id}", f"comparison:{world.assignment_id}:due"] == sorted(
            key for key in keys if key
        )
    assert {"compared": 3} == world.run(jobs.CompareClassJob, world.assignment_id)
    with world.application.app_context():
        pair = db.session.get_one(SimilarityPair, pair_id)
        assert "confirmed" == pair.verdict
        assert pair.score >= 50
