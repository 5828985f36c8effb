"""Assignments brought in the browser: imported as drafts, checked, versioned, and extensions."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from app.academic.checks import run_check
from app.academic.models import Assignment, AssignmentVersion, Extension, Grade, Submission
from app.accounts.models import AuditEvent
from app.db import db
from app.mail.models import OutboxMail
from tests.academic_world import MANIFEST, RIGHT, STUB, TESTS, World, make_world
from tests.integration.test_academic_policy import HOUR, NOON, graded, rule
from tests.zips import zipped

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.conftest import MakeUser, SignIn

NEW = "/courses/1/assignments/new"
FOLDER = (
    ("adding-more/assignment.yaml", MANIFEST.replace("Adding up", "Adding more").encode()),
    ("adding-more/tests/test_adding.py", TESTS.encode()),
    ("adding-more/stub/adding.py", STUB.encode()),
    ("adding-more/solution/adding.py", RIGHT),
)


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


@pytest.fixture
def teacher(world: World, sign_in: SignIn) -> FlaskClient:
    """The browser of who teaches the course."""
    return sign_in(world.teacher)


def send(client: FlaskClient, path: str, name: str, content: bytes) -> Any:
    """Send a file."""
    return client.post(path, data={"file": (io.BytesIO(content), name)})


def assignment(world: World, slug: str) -> tuple[int, str, int, bool]:
    """Id, title, version and whether students see it."""
    with world.application.app_context():
        found = db.session.scalars(select(Assignment).where(Assignment.slug == slug)).one()
        return found.id, found.title, found.version, found.is_published


def test_an_archive_becomes_a_draft_that_staff_show(
    world: World, teacher: FlaskClient, application: Flask, sign_in: SignIn
) -> None:
    """Students see nothing before it is used; its samples are graded at once."""
    answer = send(teacher, NEW, "adding-more.zip", zipped(*FOLDER))
    made_id, title, _, is_published = assignment(world, "adding-more")
    assert (303, f"/assignments/{made_id}/versions") == (answer.status_code, answer.location)
    assert ("Adding more", False) == (title, is_published)
    student = sign_in(world.ann, client=application.test_client())
    assert 404 == student.get(f"/assignments/{made_id}").status_code
    assert "Adding more" not in student.get("/").text

    with application.app_context():
        report = run_check(made_id, 1)
    assert [("solution", 40.0), ("stub", 0.0)] == [(it["name"], it["score"]) for it in report["samples"]]
    page = teacher.get(f"/assignments/{made_id}/versions").text
    assert "sound" in page
    assert "solution/:" in page

    assert 303 == teacher.post(f"/assignments/{made_id}/versions/1/use").status_code
    assert 200 == student.get(f"/assignments/{made_id}").status_code
    assert "Adding more" in student.get("/").text


def test_a_test_file_alone_is_an_assignment(world: World, teacher: FlaskClient) -> None:
    """Its imports say what to hand in."""
    send(teacher, NEW, "leap_test.py", b"from leap import is_leap\n\ndef test_a(): assert is_leap(4)\n")
    made_id, title, _, _ = assignment(world, "leap")
    with world.application.app_context():
        found = db.session.get_one(Assignment, made_id)
        assert ("Leap", ["leap.py"]) == (title, found.submit_names)


def test_an_assignment_can_be_written_in_the_browser(world: World, teacher: FlaskClient) -> None:
    """Manifest, text and tests in a form."""
    form = {"slug": "written", "manifest": "points: 7\r\n", "tests": TESTS, "description": "Add."}
    assert 303 == teacher.post(NEW, data=form).status_code
    made_id, _, _, _ = assignment(world, "written")
    with world.application.app_context():
        found = db.session.get_one(Assignment, made_id)
        assert (7.0, "Add.") == (found.points, found.description)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.zip", zipped(("assignment.yaml", b"titel: x\n"), ("test_a.py", b"")), "line 1: titel"),
        ("a.zip", zipped(("../a.py", b"x")), "leads out of the archive"),
        ("a.zip", zipped(("readme.txt", b"x")), "a test file"),
        ("a.txt", b"x", "expected a .zip archive"),
        ("test_a.py", b"\xff", "not UTF-8"),
    ],
)
def test_what_cannot_be_an_assignment_says_why(
    world: World, teacher: FlaskClient, name: str, content: bytes, reason: str
) -> None:
    """Every problem on the page, nothing stored."""
    answer = send(teacher, NEW, name, content)
    assert 422 == answer.status_code
    assert reason in answer.text
    with world.application.app_context():
        assert 1 == db.session.scalar(select(func.count()).select_from(Assignment))


def test_a_large_archive_is_taken_here(world: World, teacher: FlaskClient) -> None:
    """Teachers' data may be larger than a hand-in: up to 20 MiB in all."""
    big = b"".join(f"{number}\n".encode() for number in range(450_000))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in (*FOLDER, ("adding-more/tests/data.txt", big)):
            archive.writestr(path, content)
    assert len(packed.getvalue()) > 2 << 20
    # The test's browser would leave a file open that it makes for a body of this size.
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="adding-more.zip"\r\n\r\n'
    body = head + packed.getvalue() + b"\r\n--b--\r\n"
    answer = teacher.post(NEW, data=body, content_type="multipart/form-data; boundary=b")
    assert 303 == answer.status_code


class TestVersions:
    """Imports of the same assignment stay beside each other."""

    def test_a_new_version_waits_until_it_is_used(self, world: World, teacher: FlaskClient) -> None:
        """Then the assignment is as the version says; grades keep the number of theirs."""
        path = f"/assignments/{world.assignment_id}/versions"
        handed_in = world.hand_in(world.ann)
        graded(world, handed_in.submission_id)
        teacher.post(path, data={"manifest": MANIFEST.replace("points: 40", "points: 50")})
        assert (world.assignment_id, "Adding up", 1, True) == assignment(world, "adding")
        assert 303 == teacher.post(f"{path}/2/use").status_code
        with world.application.app_context():
            found = db.session.get_one(Assignment, world.assignment_id)
            assert (50.0, 2, 4) == (found.points, found.version, len(found.files))
            assert 1 == db.session.get_one(Grade, handed_in.submission_id).version
            used = select(AuditEvent.after).where(AuditEvent.action == "assignment_version_used")
            assert ["version 2"] == db.session.scalars(used).all()

    def test_an_older_one_can_be_used_again(self, world: World, teacher: FlaskClient) -> None:
        """With its points and files."""
        path = f"/assignments/{world.assignment_id}/versions"
        teacher.post(path, data={"manifest": MANIFEST.replace("points: 40", "points: 50")})
        for number, points in ((2, 50.0), (1, 40.0)):
            teacher.post(f"{path}/{number}/use")
            with world.application.app_context():
                assert points == db.session.get_one(Assignment, world.assignment_id).points

    def test_a_version_comes_back_as_it_was_brought(self, world: World, teacher: FlaskClient) -> None:
        """As an archive that can be imported again."""
        answer = teacher.get(f"/assignments/{world.assignment_id}/versions/1/files.zip")
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert TESTS.encode() == archive.read("adding/tests/test_adding.py")
        assert 303 == send(teacher, NEW, "again.zip", answer.data).status_code

    def test_a_version_that_fails_its_own_check_says_so(self, world: World, teacher: FlaskClient) -> None:
        """The sample's failing tests are on the page."""
        wrong = (*FOLDER[:3], ("adding-more/solution/adding.py", b"def add(a, b):\n    return 0\n"))
        send(teacher, f"/assignments/{world.assignment_id}/versions", "x.zip", zipped(*wrong))
        with world.application.app_context():
            run_check(world.assignment_id, 2)
        page = teacher.get(f"/assignments/{world.assignment_id}/versions").text
        assert "look at this" in page
        assert "solution/ does not pass" in page

    def test_while_a_check_runs_the_page_asks_again(self, world: World, teacher: FlaskClient) -> None:
        """The fragment polls itself until the check is over."""
        path = f"/assignments/{world.assignment_id}/versions"
        teacher.post(f"{path}/1/check")
        fragment = teacher.get(path, headers={"HX-Request": "true"}).text
        assert "being graded" in fragment
        assert "data-poll" in fragment
        with world.application.app_context():
            run_check(world.assignment_id, 1)
            assert db.session.get_one(AssignmentVersion, (world.assignment_id, 1)).checked_at
        assert "data-poll" not in teacher.get(path, headers={"HX-Request": "true"}).text


class TestExtensions:
    """A deadline of one's own."""

    def form(self, world: World, **values: str) -> dict[str, str]:
        """What staff type."""
        return {"student": str(world.ann.id), "due": "2026-03-06T12:00", "reason": "Ill."} | values

    def test_it_changes_what_late_work_lost(self, world: World, teacher: FlaskClient) -> None:
        """Given, grades are computed anew; taken back, again; both are in the audit log."""
        rule(world, due_at=NOON, late_percent=10.0)
        late = world.hand_in(world.ann, at=NOON + HOUR)
        graded(world, late.submission_id)
        path = f"/assignments/{world.assignment_id}/extensions"
        remove = f"{path}/{world.ann.id}/remove"
        for address, form, score, is_late in (
            (path, self.form(world), 40.0, False),
            (remove, {}, 36.0, True),
        ):
            assert 303 == teacher.post(address, data=form).status_code
            with world.application.app_context():
                assert score == db.session.get_one(Grade, late.submission_id).score
                assert is_late == db.session.get_one(Submission, late.submission_id).is_late
        with world.application.app_context():
            actions = set(db.session.scalars(select(AuditEvent.action)))
        assert {"extension_granted", "extension_removed"} <= actions

    def test_the_student_gets_a_mail(self, world: World, teacher: FlaskClient) -> None:
        """Each time it is given or changed; it goes out by itself."""
        path = f"/assignments/{world.assignment_id}/extensions"
        for extra in ("1", "2"):
            teacher.post(path, data=self.form(world, extra=extra))
        with world.application.app_context():
            mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "extension")).all()
            assert ["ann@example.com"] * 2 == [mail.to for mail in mails]

    def test_the_student_reads_it(
        self, world: World, teacher: FlaskClient, application: Flask, sign_in: SignIn
    ) -> None:
        """With the reason, and nobody else does."""
        teacher.post(f"/assignments/{world.assignment_id}/extensions", data=self.form(world, extra="2"))
        for student, is_shown in ((world.ann, True), (world.ben, False)):
            page = sign_in(student, client=application.test_client()).get(
                f"/assignments/{world.assignment_id}"
            )
            assert is_shown == ("You have an extension." in page.text)
            assert is_shown == ("Ill." in page.text)

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"due": "soon"}, "Due: expected a time like"),
            ({"due": ""}, "Due: expected a time, or more attempts"),
            ({"late_due": "2026-03-05T12:00"}, "Last moment: expected a time after"),
            ({"extra": "-1"}, "More attempts: expected a whole number"),
            ({"reason": " "}, "Reason: expected a sentence"),
            ({"student": "99999"}, "Student: expected somebody who takes this course"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, world: World, teacher: FlaskClient, values: dict[str, str], reason: str
    ) -> None:
        """The field and what was expected; nothing is stored."""
        answer = teacher.post(
            f"/assignments/{world.assignment_id}/extensions", data=self.form(world, **values)
        )
        assert 422 == answer.status_code
        assert reason in answer.text
        with world.application.app_context():
            assert 0 == db.session.scalar(select(func.count()).select_from(Extension))


def test_these_pages_are_for_the_course_s_own_staff(
    world: World, application: Flask, sign_in: SignIn
) -> None:
    """Students and instructors of other courses find nothing there, whatever they try."""
    of_assignment = f"/assignments/{world.assignment_id}"
    calls = [
        ("GET", NEW),
        ("POST", NEW),
        ("GET", f"{of_assignment}/versions"),
        ("POST", f"{of_assignment}/versions"),
        ("POST", f"{of_assignment}/versions/1/check"),
        ("POST", f"{of_assignment}/versions/1/use"),
        ("GET", f"{of_assignment}/versions/1/files.zip"),
        ("GET", f"{of_assignment}/extensions"),
        ("POST", f"{of_assignment}/extensions"),
        ("POST", f"{of_assignment}/extensions/{world.ann.id}/remove"),
    ]
    for person in (world.ann, world.eve, world.colleague):
        browser = sign_in(person, client=application.test_client())
        assert dict.fromkeys(calls, 404) == {
            call: browser.open(call[1], method=call[0]).status_code for call in calls
        }
