"""The academic pages: who sees what, and what each state looks like."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from app.academic import jobs
from app.academic.models import Grade, Submission, SubmissionJob
from app.academic.similarity.models import SimilarityPair
from app.db import db, writing
from app.runner.models import Job
from tests.academic_world import RIGHT, WRONG, World, make_world
from tests.integration.test_academic_jobs import ORIGINAL, TWIN

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.conftest import MakeUser, SignIn

PEOPLE = ("ann", "ben", "eve", "teacher", "colleague", "admin")
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def copied(world: World) -> tuple[str, str, int]:
    """Ann's and Ben's receipts after grading, statistics and a similarity check that found the copy."""
    ann = world.hand_in(world.ann, ORIGINAL.encode(), name="<i>ann</i>.py")
    ben = world.hand_in(world.ben, TWIN.encode())
    for number, handed_in in enumerate((ann, ben), start=1):
        world.run(jobs.AutomatedGradingJob, handed_in.submission_id, job_id=number)
        world.run(jobs.CheckForPlagiarismJob, handed_in.submission_id, job_id=number)
    world.run(jobs.GenerateAnalyticsReportJob, "Adding")
    with world.application.app_context():
        pair_id = db.session.scalar(select(SimilarityPair.id))
    assert pair_id
    return ann.receipt, ben.receipt, pair_id


def send(client: FlaskClient, world: World, *files: tuple[bytes, str], **fields: Any) -> TestResponse:
    """Send the hand-in form."""
    data = {**fields, **({"file": [(io.BytesIO(content), name) for content, name in files]} if files else {})}
    return client.post(
        f"/assignments/{world.assignment_id}/hand-in", data=data, content_type="multipart/form-data"
    )


def stored(world: World) -> int | None:
    """Count what is stored of submissions and jobs together."""
    with world.application.app_context():
        return sum(
            db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (Submission, Job)
        )


def test_who_sees_what(
    world: World, copied: tuple[str, str, int], application: Flask, sign_in: SignIn
) -> None:
    """Own work, taught courses, admins: everything else does not exist."""
    receipt, _, pair_id = copied
    with application.app_context():
        submission = db.session.scalars(select(Submission).where(Submission.receipt == receipt)).one()
        file_id, given_id = (
            submission.files[0].id,
            next(it.id for it in submission.assignment.files if it.is_given),
        )
        kept_id = next(it.id for it in submission.assignment.files if not it.is_given)
    staff = {"teacher", "admin"}
    allowed = {
        "/": set(PEOPLE),
        f"/assignments/{world.assignment_id}": {"ann", "ben", *staff},
        f"/assignments/{world.assignment_id}/given/{given_id}": {"ann", "ben", *staff},
        f"/assignments/{world.assignment_id}/given/{kept_id}": set(),
        f"/submissions/{receipt}": {"ann", *staff},
        f"/submissions/{receipt}/files/{file_id}": {"ann", *staff},
        f"/submissions/{receipt}/files/{file_id + 1}": set(),
        f"/courses/{world.course_id}": staff,
        f"/courses/{world.course_id}/statistics": staff,
        f"/courses/{world.other_course_id}": {"colleague", "admin"},
        f"/assignments/{world.assignment_id}/grades.csv": staff,
        f"/assignments/{world.assignment_id}/similarity": staff,
        f"/similarity/{pair_id}": staff,
        "/submissions/NO-SUCH-RECEIPT": set(),
        "/similarity/404": set(),
    }
    found: dict[str, set[str]] = {path: set() for path in allowed}
    for name in PEOPLE:
        browser = sign_in(getattr(world, name), client=application.test_client())
        for path in allowed:
            answers = {browser.get(path, headers=headers).status_code for headers in ({}, FRAGMENT)}
            assert answers in ({200}, {404}), (name, path, answers)
            if answers == {200}:
                found[path].add(name)
    assert allowed == found


def test_who_may_change_what(
    world: World, copied: tuple[str, str, int], application: Flask, sign_in: SignIn
) -> None:
    """A regrade and a verdict are for the course's staff, handing in for its students."""
    receipt, _, pair_id = copied
    calls: dict[str, dict[str, int]] = {
        f"/submissions/{receipt}/regrade": {"teacher": 303, "admin": 303},
        f"/similarity/{pair_id}/decide": {"teacher": 303, "admin": 303},
        f"/assignments/{world.assignment_id}/hand-in": {"ann": 422, "ben": 422, "teacher": 403, "admin": 403},
    }
    for name in PEOPLE:
        browser = sign_in(getattr(world, name), client=application.test_client())
        for path, allowed in calls.items():
            assert allowed.get(name, 404) == browser.post(path, data={"verdict": "open"}).status_code
            assert 405 == browser.get(path).status_code


def test_handing_in_answers_with_a_receipt(world: World, sign_in: SignIn) -> None:
    """The student lands on the submission's page with receipt, hash and the four jobs under way."""
    browser = sign_in(world.ann)
    answer = send(browser, world, (RIGHT, "my <b>work</b>.py"))
    assert 303 == answer.status_code
    page = browser.get(answer.location).text
    with world.application.app_context():
        submission = db.session.scalars(select(Submission)).one()
        for shown in (
            submission.receipt,
            submission.sha256,
            "my &lt;b&gt;work&lt;/b&gt;.py",
            "Not graded yet",
        ):
            assert shown in page
    for title in ("Grading", "E-mail receipt", "Course statistics", "Similarity check"):
        assert title in page
    assert 'hx-trigger="every 1s, refresh"' in page


def test_the_same_file_again_says_so(world: World, sign_in: SignIn) -> None:
    """A second identical upload leads to the first one and stores nothing."""
    browser = sign_in(world.ann)
    first = send(browser, world, (RIGHT, "adding.py"))
    before = stored(world)
    again = send(browser, world, (RIGHT, "adding.py"))
    assert (first.location, before) == (again.location, stored(world))
    assert "byte for byte your attempt 1" in browser.get(again.location).text


@pytest.mark.parametrize(
    ("files", "fields", "reason"),
    [
        ((), {}, "the form came without one"),
        ((), {"file": "def add(a, b): return a + b"}, "it came as text"),
        (((RIGHT, "a.py"), (WRONG, "b.py")), {}, "2 came at once"),
        (((RIGHT, ""),), {}, "no file was chosen"),
        (((RIGHT, "../../canary.py"),), {}, "it is a path"),
        (((RIGHT, "..\\..\\canary.py"),), {}, "File name: "),
        (((RIGHT, "notes.txt"),), {}, "does not end in .py"),
        (((b"", "adding.py"),), {}, "it is empty"),
        (((b"#" * 50_001, "adding.py"),), {}, "larger than the 50,000 bytes"),
        (((b"# \xe9\n", "adding.py"),), {}, "line 1 is not UTF-8"),
    ],
)
def test_a_bad_upload_is_explained_and_not_stored(
    world: World, sign_in: SignIn, files: tuple[Any, ...], fields: dict[str, str], reason: str
) -> None:
    """The page comes back with the one thing to change, and nothing is kept or enqueued."""
    answer = send(sign_in(world.ann), world, *files, **fields)
    assert 422 == answer.status_code
    assert reason in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 0 == stored(world)


def test_what_is_far_too_large_is_refused_before_it_is_read(world: World, sign_in: SignIn) -> None:
    """The site's own limit answers 413."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="adding.py"\r\n\r\n'
    answer = sign_in(world.ann).post(
        f"/assignments/{world.assignment_id}/hand-in",
        data=head + b"#" * (3 << 20) + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
    assert (413, 0) == (answer.status_code, stored(world))


def test_the_fragment_ends_its_own_polling(world: World, sign_in: SignIn) -> None:
    """While a job is unfinished the fragment asks again; unchanged it is 304; finished it stops."""
    handed_in = world.hand_in(world.ann)
    browser = sign_in(world.ann)
    path = f"/submissions/{handed_in.receipt}"
    running = browser.get(path, headers=FRAGMENT)
    assert "<html" not in running.text
    assert "4 of 4 still to come" in running.text
    unchanged = browser.get(path, headers={**FRAGMENT, "If-None-Match": running.headers["ETag"]})
    assert (304, b"") == (unchanged.status_code, unchanged.data)
    finish_all(world)
    finished = browser.get(path, headers=FRAGMENT).text
    assert "hx-get" not in finished
    assert "All is done." in finished


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "running", "launcher_id": "l", "progress_done": 3, "progress_total": 4}, "75 %"),
        ({"status": "pending", "attempts_used": 1}, "tried again at"),
        ({"status": "pending", "is_held": True}, "paused by staff"),
        ({"status": "failed", "finished_at": func.now()}, "did not work; staff can see why"),
        ({"status": "cancelled", "finished_at": func.now()}, "stopped by staff"),
    ],
)
def test_every_state_of_a_job_has_its_words(
    world: World, sign_in: SignIn, values: dict[str, Any], words: str
) -> None:
    """A student reads what happens, and nothing of the machinery."""
    handed_in = world.hand_in(world.ann)
    with world.application.app_context(), writing() as session:
        grading = select(SubmissionJob.job_id).where(SubmissionJob.kind == "grading").scalar_subquery()
        session.execute(update(Job).where(Job.id == grading).values(progress_message="test_secret", **values))
    page = sign_in(world.ann).get(f"/submissions/{handed_in.receipt}").text
    assert words in page
    assert "test_secret" not in page


def test_the_result_shows_each_test(world: World, copied: tuple[str, str, int], sign_in: SignIn) -> None:
    """Score, each test in its own words, and what went wrong."""
    del copied
    wrong = world.hand_in(world.ann, WRONG)
    world.run(jobs.AutomatedGradingJob, wrong.submission_id, job_id=7)
    page = sign_in(world.ann).get(f"/submissions/{wrong.receipt}").text
    for shown in ("of 40 points", "of 2 tests passed", "Small numbers are added.", "Texts cannot be added"):
        assert shown in page


def test_a_hidden_test_hides_the_total(world: World, sign_in: SignIn, application: Flask) -> None:
    """Until the deadline neither page nor list tells a student the total; staff see it."""
    handed_in = world.hand_in(world.ann, WRONG)
    world.run(jobs.AutomatedGradingJob, handed_in.submission_id)
    with application.app_context(), writing() as session:
        grade = session.scalars(select(Grade)).one()
        grade.hides = "until_due"
        grade.report = grade.report.replace('"visible"', '"after_due_date"', 1)
    student = sign_in(world.ann)
    paths = ("/", f"/assignments/{world.assignment_id}", f"/submissions/{handed_in.receipt}")
    for path in paths:
        page = student.get(path).text
        assert "shown later" in page
        assert "<strong>20</strong>" not in page
        assert "<dd>20</dd>" not in page
    staff = sign_in(world.teacher, client=application.test_client())
    assert "<dd>20</dd>" in staff.get(paths[2]).text


def test_what_could_not_be_graded_is_no_zero(world: World, sign_in: SignIn) -> None:
    """The page says so in words and gives no score."""
    handed_in = world.hand_in(world.ann)
    world.run(jobs.AutomatedGradingJob, handed_in.submission_id)
    with world.application.app_context(), writing() as session:
        grade = session.scalars(select(Grade)).one()
        grade.score, grade.outcome = None, "not_gradable"
    page = sign_in(world.ann).get(f"/submissions/{handed_in.receipt}").text
    assert "It is not a zero." in page
    assert "of 40 points" not in page


def test_a_download_is_an_attachment_of_plain_text(
    world: World, copied: tuple[str, str, int], sign_in: SignIn
) -> None:
    """The bytes come back as they were sent, and no browser runs them."""
    with world.application.app_context():
        file_id = db.session.scalars(select(Submission)).first().files[0].id  # type: ignore[union-attr]
    answer = sign_in(world.ann).get(f"/submissions/{copied[0]}/files/{file_id}")
    assert ORIGINAL.encode() == answer.data
    assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox; default-src 'none'" == answer.headers["Content-Security-Policy"]


def test_staff_see_source_and_similar_work(
    world: World, copied: tuple[str, str, int], sign_in: SignIn
) -> None:
    """The submission's page for staff has highlighted source and leads to the pair, side by side."""
    browser = sign_in(world.teacher)
    page = browser.get(f"/submissions/{copied[1]}").text
    assert '<span class="hl-k">' in page
    assert f"/similarity/{copied[2]}" in page
    side_by_side = browser.get(f"/similarity/{copied[2]}").text
    assert "Similarity, not proof" in side_by_side
    assert 'id="a-p1"' in side_by_side
    assert 'href="#b-p1"' in side_by_side
    assert "same structure, names changed" in side_by_side


def test_a_verdict_is_kept(world: World, copied: tuple[str, str, int], sign_in: SignIn) -> None:
    """What a person decides is stored with their name; other words are refused."""
    browser = sign_in(world.teacher)
    path = f"/similarity/{copied[2]}/decide"
    assert 303 == browser.post(path, data={"verdict": "confirmed", "note": "same odd comment"}).status_code
    with world.application.app_context():
        pair = db.session.get_one(SimilarityPair, copied[2])
        assert ("confirmed", world.teacher.id, "same odd comment") == (
            pair.verdict,
            pair.decided_by_id,
            pair.note,
        )
    assert 400 == browser.post(path, data={"verdict": "guilty"}).status_code
    assert 400 == browser.post(path, data={"verdict": "open", "note": "x" * 2001}).status_code


def test_lists_and_statistics_for_staff(world: World, copied: tuple[str, str, int], sign_in: SignIn) -> None:
    """Submissions with score and similarity, pictures with their tables, and a table for spreadsheets."""
    del copied
    browser = sign_in(world.teacher)
    for query in ("", "?attempts=all"):
        page = browser.get(f"/assignments/{world.assignment_id}{query}").text
        assert "Example, Ann" in page
        assert "· look" in page
    statistics = browser.get(f"/courses/{world.course_id}/statistics").text
    assert "<svg" in statistics
    assert 'style="' not in statistics
    assert "100 %" in browser.get("/").text
    table = browser.get(f"/assignments/{world.assignment_id}/grades.csv")
    assert "Example,Ann,ann@example.com,1," in table.text
    assert "attachment" in table.headers["Content-Disposition"]


def test_empty_pages_say_what_comes(world: World, sign_in: SignIn, application: Flask) -> None:
    """Before anything is handed in every page says so, for every role."""
    student = sign_in(world.ann)
    assert "none yet" in student.get("/").text
    assert "Nothing handed in yet" in student.get(f"/assignments/{world.assignment_id}").text
    staff = sign_in(world.teacher, client=application.test_client())
    for path, words in {
        f"/assignments/{world.assignment_id}": "Nothing handed in yet",
        f"/assignments/{world.assignment_id}/similarity": "Nothing alike so far",
        f"/courses/{world.course_id}/statistics": "No numbers yet",
    }.items():
        assert words in staff.get(path).text
    colleague = sign_in(world.colleague, client=application.test_client())
    assert "No assignments yet" in colleague.get(f"/courses/{world.other_course_id}").text
    assert "Nothing is asked for yet" in sign_in(world.eve, client=application.test_client()).get("/").text


def finish_all(world: World) -> None:
    """Have all jobs be completed."""
    with world.application.app_context(), writing() as session:
        session.execute(update(Job).values(status="completed", finished_at=func.now()))
