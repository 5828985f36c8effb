"""What instructors read of numbers: a course, an assignment, whom to look after; each also as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from app.academic import access, analytics, snapshots, statistics_table, watch
from app.academic.downloads import csv_download
from app.academic.gradebook.book import read_book
from app.academic.models import Course
from app.academic.watch import WatchRefused
from app.db import db, writing

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from app.academic.watch import Watched


def course_statistics(course_id: int) -> str:
    """The course in numbers and pictures, as the analytics job last computed them."""
    found = _course(course_id)
    snapshot = analytics.snapshots([course_id]).get(course_id)
    return render_template("academic/statistics.html", course=found, snapshot=snapshot)


def course_statistics_csv(course_id: int) -> Response:
    """The same numbers for a spreadsheet."""
    found = _course(course_id)
    snapshot = analytics.snapshots([course_id]).get(course_id) or abort(404)
    return csv_download(f"{found.code} statistics.csv", statistics_table.course_rows(snapshot))


def assignment_statistics(assignment_id: int) -> str:
    """An assignment in numbers and pictures."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    report = snapshots.current_report(db.session(), found)
    return render_template("academic/assignment_statistics.html", assignment=found, report=report)


def assignment_statistics_csv(assignment_id: int) -> Response:
    """The same numbers for a spreadsheet."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    report = snapshots.current_report(db.session(), found) or abort(404)
    return csv_download(f"{found.slug} statistics.csv", statistics_table.assignment_rows(report))


def watch_list(course_id: int) -> str:
    """Whom to look after, and the rules that find them."""
    return _watch_page(course_id)


def watch_decide(course_id: int, student_id: int, rule: str) -> ResponseReturnValue:
    """Keep what was done about a student."""
    _course(course_id)
    by_id = current_user.id
    form = request.form
    try:
        with writing() as session:
            found = _watched(session, course_id)
            chosen = next(
                (it for it in found if (it.student.id, it.finding.rule) == (student_id, rule)), None
            )
            if chosen is not None:
                state, note = form.get("state", ""), form.get("note", "").strip()
                watch.decide(session, course_id, chosen, state=state, note=note, by_id=by_id)
    except WatchRefused as refused:
        return _watch_page(course_id, str(refused)), 422
    if chosen is None:
        abort(404)
    flash(f"{chosen.student.listed_name}: kept.", "success")
    return redirect(url_for("academic.watch_list", course_id=course_id), 303)


def watch_rules(course_id: int) -> ResponseReturnValue:
    """Set when the course's staff want to be told about a student."""
    _course(course_id)
    try:
        with writing() as session:
            watch.set_rules(session, course_id, request.form)
    except WatchRefused as refused:
        return _watch_page(course_id, str(refused)), 422
    flash("The rules are kept.", "success")
    return redirect(url_for("academic.watch_list", course_id=course_id), 303)


def _course(course_id: int) -> Course:
    return access.taught_course(current_user, course_id) or abort(404)


def _watched(session: Session, course_id: int) -> list[Watched]:
    book = read_book(session, session.get_one(Course, course_id))
    return watch.watch_list(session, course_id, book)


def _watch_page(course_id: int, problem: str = "") -> str:
    return render_template(
        "academic/watch.html",
        course=_course(course_id),
        watched=_watched(db.session(), course_id),
        rules=watch.rules_of(db.session(), course_id),
        problem=problem,
    )
