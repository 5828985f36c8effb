"""What instructors bring: new assignments, their next versions, the check of samples; and extensions."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

from flask import Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_login import current_user

from app.academic import access, bringing, checks, extensions
from app.academic.assignments import ImportRefused, files_of, import_folder, newest_version, use_version
from app.academic.extensions import ExtensionRefused
from app.academic.grading.errors import AssignmentError
from app.academic.grading.formats import MANIFEST
from app.academic.models import Assignment, AssignmentVersion, Course
from app.academic.uploads import UploadRejected
from app.accounts import audit
from app.db import db, writing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from flask.typing import ResponseReturnValue

_REFUSALS: Final = (AssignmentError, ImportRefused, UploadRejected)
_TEXT_LENGTH: Final = 256 << 10
_EXAMPLE: Final = """\
title:
points: 100
due:
late: {per: day, minus_percent: 10, grace_minutes: 5}
attempts: {counts: last}
"""


def new_assignment(course_id: int) -> ResponseReturnValue:
    """Bring an assignment, as a file or written here."""
    course = access.taught_course(current_user, course_id) or abort(404)
    if request.method == "GET":
        return _new_page(course)
    try:
        made_id = _import(course.id, _brought_files(), slug=request.form.get("slug", "").strip() or None)
    except _REFUSALS as refused:
        return _new_page(access.taught_course(current_user, course_id) or abort(404), _problems(refused)), 422
    flash("Imported as a draft. Look at what the check says, then show it to students.", "success")
    return redirect(url_for("academic.versions", assignment_id=made_id), 303)


def versions(assignment_id: int) -> ResponseReturnValue:
    """An assignment's versions with their checks; a POST brings the next one."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    if request.method == "GET":
        return _versions_page(found)
    try:
        _import(found.course_id, _next_files(found), slug=found.slug)
    except _REFUSALS as refused:
        again = access.taught_assignment(current_user, assignment_id) or abort(404)
        return _versions_page(again, _problems(refused)), 422
    flash("Kept as a new version. It is graded with once you use it.", "success")
    return redirect(url_for("academic.versions", assignment_id=assignment_id), 303)


def check_version(assignment_id: int, number: int) -> ResponseReturnValue:
    """Grade the samples of a version."""
    _version(assignment_id, number)
    with writing() as session:
        checks.ask_for_check(session, assignment_id, number)
    return redirect(url_for("academic.versions", assignment_id=assignment_id), 303)


def use(assignment_id: int, number: int) -> ResponseReturnValue:
    """Grade with a version from now on, and show the assignment to students."""
    _version(assignment_id, number)
    try:
        with writing() as session:
            assignment = session.get_one(Assignment, assignment_id, with_for_update=True)
            before = f"version {assignment.version}{'' if assignment.is_published else ', a draft'}"
            use_version(session, assignment, number)
            assignment.is_published = True
            audit.record(
                session,
                "assignment_version_used",
                f"assignment:{assignment_id}",
                before=before,
                after=f"version {number}",
            )
    except _REFUSALS as refused:
        flash(" ".join(_problems(refused)), "error")
    else:
        flash(f"Version {number} is graded with from now on. Grades that are there stay.", "success")
    return redirect(url_for("academic.versions", assignment_id=assignment_id), 303)


def version_archive(assignment_id: int, number: int) -> Response:
    """A version's files as a zip archive, as they were imported."""
    found, _ = _version(assignment_id, number)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files_of(found, number):
            archive.writestr(f"{found.slug}/{file.path}", file.content)
    packed.seek(0)
    name = f"{found.slug}-{number}.zip"
    return send_file(packed, mimetype="application/zip", as_attachment=True, download_name=name)


def extension_list(assignment_id: int) -> ResponseReturnValue:
    """Who has an extension; a POST gives one or changes it."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    if request.method == "GET":
        return _extensions_page(found)
    try:
        wanted = extensions.read_form(request.form)
        by_id = current_user.id
        with writing() as session:
            given = extensions.grant(session, assignment_id, wanted, by_id=by_id)
            name = given.student.full_name
    except ExtensionRefused as refused:
        again = access.taught_assignment(current_user, assignment_id) or abort(404)
        return _extensions_page(again, str(refused)), 422
    flash(
        f"{name} has the extension and reads the reason. Grades that are there were computed anew.", "success"
    )
    return redirect(url_for("academic.extensions", assignment_id=assignment_id), 303)


def remove_extension(assignment_id: int, student_id: int) -> ResponseReturnValue:
    """Let the assignment's own rules hold for a student again."""
    if access.taught_assignment(current_user, assignment_id) is None:
        abort(404)
    with writing() as session:
        was_there = extensions.take_back(session, assignment_id, student_id)
    if not was_there:
        abort(404)
    flash("The extension is gone. Grades that are there were computed anew.", "success")
    return redirect(url_for("academic.extensions", assignment_id=assignment_id), 303)


def _new_page(course: Course, problems: tuple[str, ...] = ()) -> str:
    return render_template(
        "academic/new_assignment.html",
        course=course,
        problems=problems,
        form=request.form,
        example=_EXAMPLE,
    )


def _versions_page(found: Assignment, problems: tuple[str, ...] = ()) -> str:
    shown = checks.shown_versions(db.session(), found)
    values = {
        "assignment": found,
        "versions": shown,
        "is_live": any(it.state == "running" for it in shown),
    }
    if "HX-Request" in request.headers:
        return render_template("academic/_versions.html", **values)
    manifest = request.form.get("manifest") or _newest_manifest(found, shown)
    return render_template("academic/versions.html", **values, problems=problems, manifest=manifest)


def _extensions_page(found: Assignment, problem: str = "") -> str:
    return render_template(
        "academic/extensions.html",
        assignment=found,
        extensions=extensions.extensions_for(db.session(), found.id),
        students=extensions.students_of(db.session(), found.course_id),
        problem=problem,
        form=request.form,
    )


def _import(course_id: int, brought: AbstractContextManager[Path], *, slug: str | None) -> int:
    """Keep what was brought as a draft, and have its samples graded."""
    by_id, source = current_user.id, _source()
    with brought as folder, writing() as session:
        course = session.get_one(Course, course_id)
        made = import_folder(session, course, folder, slug=slug, source=source, by_id=by_id, is_draft=True)
        number = newest_version(session, made.id)
        checks.ask_for_check(session, made.id, number)
        audit.record(session, "assignment_imported", f"assignment:{made.id}", after=f"version {number}")
        return made.id


def _source() -> str:
    file = request.files.get("file")
    return (file.filename or "")[:255] if file else "written in the browser"


def _brought_files() -> AbstractContextManager[Path]:
    file = request.files.get("file")
    if file and file.filename:
        with file.stream as stream:
            return bringing.unpacked(file.filename, stream.read())
    files = {MANIFEST: _text("manifest"), "tests/test_assignment.py": _text("tests")}
    given = {path: text.encode() for path, text in files.items() if text.strip()}
    if "tests/test_assignment.py" not in given:
        raise UploadRejected("File: choose a .zip archive or a .py test file, or write the tests below.")
    if _text("description").strip():
        given["description.txt"] = _text("description").encode()
    return bringing.written(request.form.get("slug", "").strip() or "assignment", given)


def _next_files(found: Assignment) -> AbstractContextManager[Path]:
    file = request.files.get("file")
    if file and file.filename:
        with file.stream as stream:
            return bringing.unpacked(file.filename, stream.read())
    manifest = _text("manifest")
    if not manifest.strip():
        raise UploadRejected("File: choose a .zip archive or a .py test file, or change assignment.yaml.")
    newest = newest_version(db.session(), found.id)
    files = {it.path: it.content for it in files_of(found, newest)}
    return bringing.written(found.slug, files | {MANIFEST: manifest.encode()})


def _text(name: str) -> str:
    text = request.form.get(name, "").replace("\r\n", "\n")
    if len(text) > _TEXT_LENGTH or "\0" in text:
        raise UploadRejected(f"{name.capitalize()}: expected a text of at most {_TEXT_LENGTH >> 10} KiB.")
    return text


def _newest_manifest(found: Assignment, shown: list[checks.ShownVersion]) -> str:
    if not shown:
        return found.manifest
    files = {it.path: it.content for it in files_of(found, shown[0].version.number)}
    return files.get(MANIFEST, b"").decode("utf-8", "replace")


def _version(assignment_id: int, number: int) -> tuple[Assignment, AssignmentVersion]:
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    return found, db.session.get(AssignmentVersion, (assignment_id, number)) or abort(404)


def _problems(refused: Exception) -> tuple[str, ...]:
    return refused.problems if isinstance(refused, AssignmentError) else (str(refused),)
