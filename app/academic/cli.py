"""`flask academic ...`: demo data and assignments from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from app.db import db, writing

if TYPE_CHECKING:
    from app.academic.grading.check import AssignmentCheck

academic_cli = AppGroup("academic", help="Demo data, and assignments from folders.")

_folder = click.argument(
    "path", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)


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
@click.option("--course", "code", required=True, help="The course's code, like 'CS 2401'.")
@click.option("--slug", help="The assignment's short name; by default the folder's.")
def import_command(path: Path, code: str, slug: str | None) -> None:
    """Make the folder PATH an assignment of a course; the same name again replaces its files."""
    from app.academic.assignments import ImportRefused, import_folder
    from app.academic.grading.errors import AssignmentError
    from app.academic.models import Course

    course_id = db.session.scalar(select(Course.id).where(Course.code == code))
    if course_id is None:
        codes = db.session.scalars(select(Course.code).order_by(Course.code)).all()
        raise click.BadParameter(
            f"there is no course {code!r}; there are: {', '.join(codes) or 'none yet'}", param_hint="--course"
        )
    try:
        with writing() as session:
            made = import_folder(session, session.get_one(Course, course_id), path, slug=slug)
            click.echo(f"{code}: {made.title} ({made.slug}), {len(made.files)} files, {made.points:g} points")
    except (AssignmentError, ImportRefused) as error:
        raise click.ClickException(str(error)) from error


@academic_cli.command("check")
@_folder
def check(path: Path) -> None:
    """Try the folder PATH as an assignment: load it, and grade its solution/ and stub/ if it has them.

    The solution should get everything and the stub should not; the exit code is 1 when something is wrong.
    """
    from app.academic.grading.check import check_assignment
    from app.academic.grading.errors import AssignmentError, AutograderError

    try:
        made = check_assignment(path)
    except AssignmentError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except AutograderError as error:
        raise click.ClickException(str(error)) from error
    _describe(made)
    if made.warnings:
        raise click.ClickException("\n".join(made.warnings))


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
