"""`flask academic ...` as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from app.academic.models import Assignment, Course, Submission, SubmissionJob
from app.accounts import passwords
from app.accounts.models import User
from app.db import db
from tests.academic_world import MANIFEST, RIGHT, STUB, TESTS, World, make_world, write_assignment
from tests.zips import zipped

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from click.testing import Result
    from flask import Flask

    from tests.conftest import MakeUser


@pytest.fixture
def world(application: Flask, make_user: MakeUser, tmp_path: Path) -> World:
    """Two courses, one assignment."""
    return make_world(application, make_user, tmp_path / "adding")


def typed(application: Flask, *words: str) -> Result:
    """Type a command."""
    return application.test_cli_runner().invoke(args=["academic", *words])


class TestDemo:
    """The demo data."""

    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        """The password comes from TEST_PASSWORD."""
        return {"TEST_PASSWORD": "eight blue boxes"}

    def test_it_is_made_once(self, application: Flask) -> None:
        """The first time makes courses, people and enqueued submissions; the second time nothing."""
        first = typed(application, "demo")
        assert 0 == first.exit_code, first.output
        assert "117 submissions; their jobs are enqueued" in first.output
        assert "eight blue boxes" not in first.output
        again = typed(application, "demo")
        assert (0, "There are courses already: nothing was made.\n") == (again.exit_code, again.output)
        with application.app_context():
            counts = [
                db.session.scalar(select(func.count()).select_from(it))
                for it in (Course, Submission, SubmissionJob)
            ]
            assert [3, 117, 468] == counts
            admin = db.session.scalars(select(User).where(User.email == "admin@example.com")).one()
            assert admin.is_admin
            assert passwords.verify(admin.password_hash, "eight blue boxes")
            assert db.session.scalar(select(func.count()).where(Submission.is_late)) in range(2, 10)


def test_a_password_that_is_made_up_is_told_once(application: Flask) -> None:
    """Without TEST_PASSWORD the command prints one."""
    said = typed(application, "demo").output
    password = said.rsplit("shown only now: ", 1)[1].strip()
    assert len(password) >= 12


def test_a_folder_becomes_an_assignment(world: World, tmp_path: Path) -> None:
    """Importing makes an assignment; importing again replaces files and keeps the submissions."""
    write_assignment(tmp_path / "More adding")
    said = typed(world.application, "import", str(tmp_path / "More adding"), "--course", "CS 1")
    assert "CS 1: Adding up (more-adding), version 1, 4 files, 40 points\n" == said.output
    world.hand_in(world.ann, RIGHT)
    write_assignment(tmp_path / "adding", manifest=MANIFEST.replace("points: 40", "points: 50"))
    assert 0 == typed(world.application, "import", str(tmp_path / "adding"), "--course", "CS 1").exit_code
    with world.application.app_context():
        assignment = db.session.get_one(Assignment, world.assignment_id)
        assert (50.0, 4, "Add two numbers.") == (
            assignment.points,
            len(assignment.files),
            assignment.description,
        )
        assert ["stub/adding.py"] == [file.path for file in assignment.files if file.is_given]
        assert 1 == db.session.scalar(select(func.count()).select_from(Submission))


def test_an_import_that_cannot_be_says_why(world: World, tmp_path: Path) -> None:
    """Unknown course, a bad manifest, a missing stub: one sentence and nothing stored."""
    bad = {
        "none": ("points: many\n", TESTS, "points"),
        "stub": (MANIFEST.replace("stub/adding.py", "stub/other.py"), TESTS, "no file 'stub/other.py'"),
    }
    for name, (manifest, tests, reason) in bad.items():
        write_assignment(tmp_path / name, manifest=manifest, tests=tests)
        said = typed(world.application, "import", str(tmp_path / name), "--course", "CS 1")
        assert said.exit_code != 0
        assert reason in said.output
    said = typed(world.application, "import", str(tmp_path / "adding"), "--course", "CS 9")
    assert 2 == said.exit_code
    assert "there is no course 'CS 9'; there are: CS 1, CS 2" in said.output
    with world.application.app_context():
        assert 1 == db.session.scalar(select(func.count()).select_from(Assignment))


def test_checking_grades_the_samples(world: World, tmp_path: Path) -> None:
    """A sound folder is described; a solution that fails its own tests is exit code 1."""
    folder = tmp_path / "adding"
    (folder / "solution").mkdir()
    (folder / "solution" / "adding.py").write_bytes(RIGHT)
    sound = typed(world.application, "check", str(folder))
    assert (0, True) == (sound.exit_code, "solution: 40 of 40 points, 2 tests passed" in sound.output)
    (folder / "solution" / "adding.py").write_bytes(b"def add(a, b):\n    return 0\n")
    unsound = typed(world.application, "check", str(folder))
    assert 1 == unsound.exit_code
    assert "does not pass" in unsound.output


class TestBringing:
    """`flask academic import` takes what people have."""

    def imported(self, world: World, path: Path, *options: str) -> str:
        """Import and give what was said."""
        said = typed(world.application, "import", str(path), *options)
        assert 0 == said.exit_code, said.output
        return said.output

    def test_an_archive(self, world: World, tmp_path: Path) -> None:
        """With one folder around everything, whose name it gets; the manifest names the course."""
        manifest = MANIFEST + "course: CS 1\nslug: more\n"
        stub = ("folder/stub/adding.py", STUB.encode())
        files = (("folder/assignment.yaml", manifest.encode()), ("folder/tests/test_a.py", TESTS.encode()))
        (tmp_path / "a.zip").write_bytes(zipped(*files, stub))
        assert "CS 1: Adding up (more), version 1, 3 files" in self.imported(world, tmp_path / "a.zip")
        assert "version 2" in self.imported(world, tmp_path / "a.zip")

    def test_a_test_file(self, world: World, tmp_path: Path) -> None:
        """Ordinary pytest or unittest, alone."""
        (tmp_path / "leap_test.py").write_text("from leap import is_leap\ndef test_a(): pass\n", "utf-8")
        said = self.imported(world, tmp_path / "leap_test.py", "--course", "CS 1")
        assert "CS 1: Leap (leap), version 1, 1 files, 100 points" in said

    def test_a_draft(self, world: World, tmp_path: Path) -> None:
        """Students do not see it; a draft of what they see changes nothing for them."""
        self.imported(world, tmp_path / "adding", "--course", "CS 1", "--slug", "new", "--draft")
        write_assignment(tmp_path / "adding", manifest=MANIFEST.replace("points: 40", "points: 50"))
        self.imported(world, tmp_path / "adding", "--course", "CS 1", "--draft")
        with world.application.app_context():
            found = db.session.scalars(select(Assignment).order_by(Assignment.id)).all()
            assert [("adding", 40.0, True), ("new", 40.0, False)] == [
                (it.slug, it.points, it.is_published) for it in found
            ]

    def test_what_is_no_assignment(self, world: World, tmp_path: Path) -> None:
        """One sentence for each thing that is wrong, no traceback."""
        (tmp_path / "bad.zip").write_bytes(zipped(("../x.py", b"x")))
        (tmp_path / "notes.txt").write_text("x", "utf-8")
        for name, reason in (
            ("bad.zip", "leads out of the archive"),
            ("notes.txt", "expected a .zip archive"),
        ):
            for command in ("import", "check"):
                said = typed(world.application, command, str(tmp_path / name))
                assert (1, True) == (said.exit_code, reason in said.output)
