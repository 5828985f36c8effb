"""`flask academic pause|resume|grades`: what instructors do with grading, from the command line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from app.db import db, writing

if TYPE_CHECKING:
    from app.academic.models import Assignment, Course

_code = click.argument("code", metavar="COURSE")
_slug = click.argument("slug", metavar="ASSIGNMENT")


@click.command("pause")
@with_appcontext
@_code
@_slug
@click.option("--reason", required=True, help="Why, for other staff.")
def pause(code: str, slug: str, reason: str) -> None:
    """Grade no more of ASSIGNMENT (its short name) of COURSE; work is still taken and nothing is lost."""
    from app.academic import pausing
    from app.academic.gradebook.models import REASON_LENGTH

    if not reason.strip() or len(reason) > REASON_LENGTH:
        raise click.BadParameter(f"expected 1 to {REASON_LENGTH} characters", param_hint="--reason")
    assignment_id = _assignment(code, slug).id
    with writing() as session:
        is_new = pausing.pause(session, assignment_id, reason=reason.strip())
    click.echo(f"{code} {slug}: grading is paused." if is_new else f"{code} {slug}: was paused already.")


@click.command("resume")
@with_appcontext
@_code
@_slug
def resume(code: str, slug: str) -> None:
    """Grade ASSIGNMENT of COURSE again, first what came meanwhile."""
    from app.academic import pausing

    assignment_id = _assignment(code, slug).id
    with writing() as session:
        count = pausing.resume(session, assignment_id)
    if count is None:
        raise click.ClickException(f"{code} {slug} is not paused.")
    click.echo(f"{code} {slug}: grading goes on; {count} submissions had waited.")


@click.command("grades")
@with_appcontext
@_code
def grades(code: str) -> None:
    """Write the gradebook of COURSE as CSV, as its page gives it."""
    from app.academic.downloads import safe_cell
    from app.academic.gradebook.book import read_book
    from app.academic.gradebook.table import rows_of

    text = io.StringIO()
    rows = rows_of(read_book(db.session(), _course(code)))
    csv.writer(text, lineterminator="\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    click.echo(text.getvalue(), nl=False)


def _course(code: str) -> Course:
    from app.academic.models import Course

    found = db.session.scalar(select(Course).where(Course.code == code))
    if found is None:
        codes = db.session.scalars(select(Course.code).order_by(Course.code)).all()
        known = ", ".join(codes) or "none yet"
        raise click.BadParameter(f"there is no course {code!r}; there are: {known}", param_hint="COURSE")
    return found


def _assignment(code: str, slug: str) -> Assignment:
    course = _course(code)
    found = next((it for it in course.assignments if it.slug == slug), None)
    if found is None:
        known = ", ".join(it.slug for it in course.assignments) or "none yet"
        raise click.BadParameter(
            f"{code} has no assignment {slug!r}; it has: {known}", param_hint="ASSIGNMENT"
        )
    return found
