"""`flask academic ...`: demo data and assignments from the command line."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from app.academic.cli_grading import grades, pause, resume
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.academic.grading.check import AssignmentCheck

academic_cli = AppGroup("academic", help="Demo data, assignments from folders, and grading.")
for _command in (pause, resume, grades):
    academic_cli.add_command(_command)

_folder = click.argument("path", type=click.Path(exists=True, resolve_path=True, path_type=Path))


@academic_cli.command("demo")
def demo() -> None:
    """Make three courses with students and submissions; nothing if there is a course already.

    The accounts get TEST_PASSWORD as their password, or one that is made up and printed once.
    """
    from app.academic.demo.builder import make_demo

    made = make_demo(current_app.config["TEST_PASSWORD"], on_progress=_show_progress)
    if not made.submissions:
        click.echo("There are courses already: nothing was made.")
        return
    click.echo(f"Made three courses with {made.submissions} submissions; their jobs are enqueued.")
    click.echo("Accounts: admin@example.com, instructor@example.com, student@example.com")
    if made.new_password:
        click.echo(f"Password of all of them, shown only now: {made.new_password}")


@academic_cli.command("import")
@_folder
@click.option("--course", "code", help="The course's code, like 'CS 2401'; by default the manifest's.")
@click.option("--slug", help="The assignment's short name; by default the manifest's, or the folder's.")
@click.option("--draft", is_flag=True, help="Keep it without grading with it or showing it to students.")
def import_command(path: Path, code: str | None, slug: str | None, draft: bool) -> None:  # noqa: FBT001 - click's
    """Make PATH an assignment of a course: a folder, a zip archive of one, or a test file alone.

    The same name again makes its next version: what was graded before keeps its grade.
    """
    from app.academic.assignments import import_folder, newest_version, read_folder
    from app.academic.bringing import brought_folder
    from app.academic.grading.formats import load_assignment
    from app.academic.models import Course

    with _told(), brought_folder(path) as folder:
        course_id = _course_id(code or load_assignment(folder).course)
        with writing() as session:
            course = session.get_one(Course, course_id)
            made = import_folder(session, course, folder, slug=slug, source=path.name, is_draft=draft)
            files = len(read_folder(folder))
            number = newest_version(session, made.id)
            click.echo(
                f"{course.code}: {made.title} ({made.slug}), version {number}, "
                f"{files} files, {made.points:g} points{', a draft' if draft else ''}"
            )


def _course_id(code: str) -> int:
    from app.academic.models import Course

    course_id = db.session.scalar(select(Course.id).where(Course.code == code))
    if course_id is None:
        codes = db.session.scalars(select(Course.code).order_by(Course.code)).all()
        asked = f"there is no course {code!r}" if code else "name the course"
        raise click.BadParameter(
            f"{asked}; there are: {', '.join(codes) or 'none yet'}", param_hint="--course"
        )
    return course_id


@academic_cli.command("check")
@_folder
def check(path: Path) -> None:
    """Try PATH as an assignment: load it, and grade its solution/ and stub/ if it has them.

    PATH is a folder, a zip archive of one, or a test file. The solution should get everything and the stub
    should not; the exit code is 1 when something is wrong.
    """
    from app.academic.bringing import brought_folder
    from app.academic.grading.check import check_assignment

    with _told(), brought_folder(path) as folder:
        made = check_assignment(folder)
    _describe(made)
    if made.warnings:
        raise click.ClickException("\n".join(made.warnings))


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with what a person brought, without a traceback."""
    from app.academic.assignments import ImportRefused
    from app.academic.grading.errors import AssignmentError, AutograderError
    from app.academic.uploads import UploadRejected

    try:
        yield
    except AssignmentError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except (AutograderError, ImportRefused, UploadRejected) as error:
        raise click.ClickException(str(error)) from error


@academic_cli.command("compare")
@click.argument("code", metavar="COURSE")
@click.argument("slug", metavar="ASSIGNMENT")
def compare(code: str, slug: str) -> None:
    """Compare everybody's work for an assignment anew, with the counts of the whole class.

    COURSE is its code, ASSIGNMENT the short name; verdicts and notes stay.
    """
    from app.academic.comparison import compare_everybody
    from app.academic.models import Assignment, Course

    found = db.session.scalar(
        select(Assignment).join(Assignment.course).where(Course.code == code, Assignment.slug == slug)
    )
    if found is None:
        raise click.ClickException(f"there is no assignment {slug!r} in a course {code!r}")
    if found.similarity_kind == "none":
        raise click.ClickException(f"{slug} says similarity: kind: none, so its work is not compared")
    done = compare_everybody(found, on_progress=lambda *_: None)
    click.echo(f"Compared {done} submissions.")


def _describe(made: AssignmentCheck) -> None:
    spec = made.spec
    click.echo(f"{spec.title}: {spec.points:g} points")
    click.echo(f"Submit: {', '.join(spec.submit.files)}, at most {spec.submit.max_bytes:,} bytes")
    for part in spec.parts:
        click.echo(f"{part.type}: {part.summary}, {part.points:g} points")
    for name, report in (("solution", made.solution), ("stub", made.stub)):
        if report is not None:
            click.echo(f"{name}: {report.score:g} of {report.points:g} points, {report.passed} tests passed")


def _show_progress(done: int, total: int) -> None:
    if done == total or done % 25 == 0:
        click.echo(f"  {done} of {total} submissions")
