"""The gradebook of a course: read, filtered, taken away as CSV and brought back; a grade changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from app.academic import access
from app.academic.downloads import csv_download
from app.academic.gradebook import overrides, table
from app.academic.gradebook.book import FILTERS, View, read_book
from app.academic.gradebook.overrides import OverrideRefused
from app.academic.models import Assignment, Course
from app.db import db, writing

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

_QUERY_LENGTH = 100


def gradebook(course_id: int) -> str:
    """The table of a course."""
    found = _course(course_id)
    view = _view(found)
    book = read_book(db.session(), found, view)
    return render_template("academic/gradebook.html", course=found, book=book, view=view, marks=FILTERS)


def gradebook_csv(course_id: int) -> Response:
    """The same table, as it is filtered, for a spreadsheet."""
    found = _course(course_id)
    book = read_book(db.session(), found, _view(found))
    return csv_download(f"{found.code} gradebook.csv", table.rows_of(book))


def gradebook_import(course_id: int) -> ResponseReturnValue:
    """Ask for a table; show what it would change; change it when a person has seen that."""
    _course(course_id)
    if request.method == "GET":
        return _import_page(course_id)
    text, reason = _sent_text(), request.form.get("reason", "")
    try:
        preview = _preview(db.session(), course_id, text)
        overrides.checked_text(reason)
    except table.TableRefused as refused:
        return _import_page(course_id, problems=refused.problems, reason=reason), 422
    except OverrideRefused as refused:
        return _import_page(
            course_id, preview=preview, text=text, reason=reason, problems=(str(refused),)
        ), 422
    digest = request.form.get("digest", "")
    count = _apply(course_id, text, reason, digest) if digest and preview.changes else None
    if count is None:
        is_stale = bool(digest and preview.changes)
        return _import_page(course_id, preview=preview, text=text, reason=reason, is_stale=is_stale)
    flash(f"{count} scores are changed, each with your reason.", "success")
    return redirect(url_for("academic.gradebook", course_id=course_id), 303)


def override(assignment_id: int, student_id: int) -> ResponseReturnValue:
    """Set a student's score by hand, or take such a score away."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    student = access.student_of(found.course_id, student_id) or abort(404)
    if request.method == "GET":
        return _override_page(found.id, student.id)
    form = request.form
    by_id, points = current_user.id, found.points
    try:
        with writing() as session:
            assignment = session.get_one(Assignment, assignment_id)
            if form.get("action") == "remove":
                overrides.remove_override(session, assignment, student_id)
            else:
                overrides.set_override(
                    session,
                    assignment,
                    student_id,
                    score=overrides.read_score(form.get("score", ""), points),
                    reason=form.get("reason", ""),
                    by_id=by_id,
                )
    except OverrideRefused as refused:
        return _override_page(assignment_id, student_id, str(refused)), 422
    is_removed = form.get("action") == "remove"
    flash(
        "The score of the tests counts again."
        if is_removed
        else "The score is changed; the student sees why.",
        "success",
    )
    return redirect(url_for("academic.override", assignment_id=assignment_id, student_id=student_id), 303)


def _course(course_id: int) -> Course:
    return access.taught_course(current_user, course_id) or abort(404)


def _view(course: Course) -> View:
    """What is asked for; what is no filter of ours filters nothing."""
    given = request.args
    mark = given.get("mark", "")
    numbers = {str(assignment.id): assignment.id for assignment in course.assignments}
    sort = given.get("sort", "name")
    return View(
        query=given.get("q", "")[:_QUERY_LENGTH].strip(),
        mark=mark if mark in FILTERS else "",
        assignment_id=numbers.get(given.get("assignment", "")),
        sort=sort if sort in {"name", "percent", *numbers} else "name",
        is_descending=given.get("order") == "down",
    )


def _sent_text() -> str:
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("text", "")
    content = file.stream.read(table.MAX_BYTES + 1)
    # What is no UTF-8 is told by its place, so it has to get as far as there.
    return content.decode("utf-8-sig", "surrogateescape")


def _preview(session: Session, course_id: int, text: str) -> table.Preview:
    book = read_book(session, session.get_one(Course, course_id))
    return table.preview_of(book, text.encode("utf-8", "surrogateescape"))


def _apply(course_id: int, text: str, reason: str, digest: str) -> int | None:
    """Change what the person has seen; None when that would be something else by now."""
    by_id = current_user.id
    with writing() as session:
        preview = _preview(session, course_id, text)
        if preview.digest != digest:
            return None
        assignments = session.get_one(Course, course_id).assignments
        return table.apply_changes(session, assignments, preview, reason=reason, by_id=by_id)


def _import_page(
    course_id: int,
    *,
    preview: table.Preview | None = None,
    text: str = "",
    reason: str = "",
    problems: tuple[str, ...] = (),
    is_stale: bool = False,
) -> str:
    return render_template(
        "academic/gradebook_import.html",
        course=_course(course_id),
        preview=preview,
        text=text,
        reason=reason,
        problems=problems,
        is_stale=is_stale,
    )


def _override_page(assignment_id: int, student_id: int, problem: str = "") -> str:
    assignment = access.taught_assignment(current_user, assignment_id) or abort(404)
    return render_template(
        "academic/override.html",
        assignment=assignment,
        student=access.student_of(assignment.course_id, student_id),
        override=overrides.override_of(db.session(), assignment_id, student_id),
        history=access.attempts_of(assignment_id, student_id),
        problem=problem,
        form=request.form,
    )
