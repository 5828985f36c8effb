"""What instructors and admins read: courses, what was handed in, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, render_template, request
from flask_login import current_user

from app.academic import access, analytics, overview
from app.academic.downloads import csv_download
from app.db import db

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from app.academic.models import Assignment, Course


def courses(taught: Sequence[Course]) -> str:
    """The courses with how much there is in them."""
    counts = overview.counts_by_course(db.session())
    snapshots = analytics.snapshots([course.id for course in taught])
    return render_template("academic/courses.html", courses=taught, counts=counts, snapshots=snapshots)


def course(course_id: int) -> str:
    """A course's assignments."""
    found = access.taught_course(current_user, course_id) or abort(404)
    return render_template(
        "academic/course.html",
        course=found,
        counts=overview.counts_by_assignment(db.session(), course_id),
        snapshot=analytics.snapshots([course_id]).get(course_id),
    )


def assignment(found: Assignment) -> str:
    """What was handed in for an assignment: the newest of each student, or all attempts."""
    is_all = request.args.get("attempts") == "all"
    rows = overview.submission_rows(db.session(), found, is_all=is_all)
    return render_template("academic/submissions.html", assignment=found, rows=rows, is_all=is_all)


def grades_csv(assignment_id: int) -> Response:
    """The list of submissions for a spreadsheet."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    rows = overview.submission_rows(db.session(), found, is_all=True)
    header = (
        "last name",
        "first name",
        "e-mail",
        "attempt",
        "received (UTC)",
        "late",
        "score",
        "points",
        "similarity",
        "set by staff",
        "reason",
    )
    return csv_download(f"{found.slug}.csv", [header, *map(_csv_row, rows)])


def _csv_row(row: overview.Row) -> tuple[object, ...]:
    submission, grade = row.submission, row.submission.grade
    return (
        submission.student.last_name,
        submission.student.first_name,
        submission.student.email,
        submission.number,
        f"{submission.created_at:%Y-%m-%d %H:%M:%S}",
        "yes" if submission.is_late else "no",
        grade.score if grade else None,
        grade.points if grade else submission.assignment.points,
        row.similarity,
        row.override.score if row.override else None,
        row.override.reason if row.override else None,
    )
