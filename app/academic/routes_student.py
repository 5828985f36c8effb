"""What a student does: find the assignment, hand in, read the starter files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic import access, routes_staff
from app.academic.downloads import text_download
from app.academic.gradebook import overrides
from app.academic.models import AssignmentFile, Submission
from app.academic.refusals import HandInRefused
from app.academic.submissions import hand_in as store_submission
from app.academic.uploads import Upload, UploadRejected, check_upload
from app.db import db

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.academic.models import Assignment

_FIELD: Final = "file"


def home() -> str:
    """A student's courses with what is due, or the courses that staff teach."""
    courses = db.session.scalars(access.courses_of(current_user)).all()
    if not current_user.is_student:
        return routes_staff.courses(courses)
    latest = _latest_of_each_assignment()
    changed = overrides.overrides_for_student(db.session(), current_user.id)
    return render_template("academic/home.html", courses=courses, latest=latest, overrides=changed)


def assignment(assignment_id: int) -> str:
    """The assignment with the hand-in form, or for staff with what was handed in."""
    found = access.visible_assignment(current_user, assignment_id) or abort(404)
    return _page(found) if current_user.is_student else routes_staff.assignment(found)


def hand_in(assignment_id: int) -> ResponseReturnValue:
    """Take the file, or show the page again with the one thing to change."""
    found = access.visible_assignment(current_user, assignment_id) or abort(404)
    if not current_user.is_student:
        abort(403)
    try:
        handed_in = store_submission(current_user, found, [_sent_file(found)])
    except (UploadRejected, HandInRefused) as refused:
        return _page(access.visible_assignment(current_user, assignment_id) or abort(404), str(refused)), 422
    if not handed_in.is_new:
        flash(f"This is byte for byte your attempt {handed_in.number}, so nothing new was stored.", "warning")
    return redirect(url_for("academic.submission", receipt=handed_in.receipt), 303)


def given_file(assignment_id: int, file_id: int) -> ResponseReturnValue:
    """A starter file, as the instructor wrote it."""
    found = access.visible_assignment(current_user, assignment_id) or abort(404)
    file = db.session.scalar(
        select(AssignmentFile).where(
            AssignmentFile.id == file_id,
            AssignmentFile.assignment_id == found.id,
            AssignmentFile.is_given,
        )
    )
    return text_download(file.path.rsplit("/", 1)[-1], file.content) if file else abort(404)


def _page(found: Assignment, problem: str = "") -> str:
    return render_template(
        "academic/assignment.html",
        assignment=found,
        history=access.attempts_of(found.id, current_user.id),
        given=[file for file in found.files if file.is_given],
        problem=problem,
        override=overrides.override_of(db.session(), found.id, current_user.id),
    )


def _sent_file(found: Assignment) -> Upload:
    parts = request.files.getlist(_FIELD)
    if not parts and _FIELD in request.form:
        raise UploadRejected("File: it came as text. Choose a file and send that.")
    if not parts:
        raise UploadRejected("File: the form came without one. Choose a Python file.")
    if len(parts) > 1:
        raise UploadRejected(f"File: {len(parts)} came at once. One submission is one file.")
    # One byte more than allowed tells that there is more; the rest is never read.
    content = parts[0].stream.read(found.max_bytes + 1)
    return check_upload(parts[0].filename or "", content, max_bytes=found.max_bytes)


def _latest_of_each_assignment() -> dict[int, Submission]:
    mine = db.session.scalars(
        select(Submission)
        .where(Submission.student_id == current_user.id)
        .options(joinedload(Submission.grade))
        .order_by(Submission.number)
    )
    return {submission.assignment_id: submission for submission in mine}
