"""Grading of an assignment in a person's hand: stop it, go on, show what is hidden, grade once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from app.academic import access, alarm, pausing
from app.academic.gradebook import regrade_rows, regrades
from app.academic.gradebook.models import REASON_LENGTH
from app.academic.gradebook.regrades import RegradeRefused
from app.academic.models import Assignment, Submission
from app.db import db, writing

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue


def grading(assignment_id: int) -> str:
    """What may be done with the grading of an assignment, and the regrades so far."""
    found = _assignment(assignment_id)
    return render_template(
        "academic/grading.html",
        assignment=found,
        waiting=pausing.waiting_count(db.session(), assignment_id),
        regrades=regrades.recent(db.session(), assignment_id),
    )


def pause(assignment_id: int) -> ResponseReturnValue:
    """Grade no more until somebody resumes it; hand-ins are taken meanwhile."""
    _assignment(assignment_id)
    reason = request.form.get("reason", "").strip()
    if not reason or len(reason) > REASON_LENGTH:
        abort(400, f"Reason: expected 1 to {REASON_LENGTH} characters; other staff read it.")
    with writing() as session:
        is_new = pausing.pause(session, assignment_id, reason=reason)
    if is_new:
        flash("Grading is paused. Work is still taken, with its time, and graded when you resume.", "success")
    else:
        flash("Grading was paused already.", "warning")
    return _back(assignment_id)


def resume(assignment_id: int) -> ResponseReturnValue:
    """Grade again, first what came meanwhile."""
    _assignment(assignment_id)
    with writing() as session:
        count = pausing.resume(session, assignment_id)
        alarm.forget_errors(session, assignment_id)
    if count is None:
        flash("Grading was not paused.", "warning")
    else:
        flash(f"Grading goes on. {count} submissions that waited are enqueued.", "success")
    return _back(assignment_id)


def release_results(assignment_id: int) -> ResponseReturnValue:
    """Show students the tests that were hidden, and so the totals."""
    _assignment(assignment_id)
    with writing() as session:
        pausing.release_results(session, assignment_id)
    flash("Students see all tests and the total from now on.", "success")
    return _back(assignment_id)


def hide_results(assignment_id: int) -> ResponseReturnValue:
    """Hide again what the tests hide; who has seen it has seen it."""
    _assignment(assignment_id)
    with writing() as session:
        pausing.hide_results(session, assignment_id)
    flash("Tests that are hidden, and totals that would tell of them, are hidden again.", "success")
    return _back(assignment_id)


def regrade_all(assignment_id: int) -> ResponseReturnValue:
    """Grade all of an assignment once more, aside."""
    _assignment(assignment_id)
    by_id = current_user.id
    try:
        with writing() as session:
            assignment = session.get_one(Assignment, assignment_id)
            regrade_id = regrades.begin(session, assignment, by_id=by_id).id
    except RegradeRefused as refused:
        flash(str(refused), "warning")
        return _back(assignment_id)
    return redirect(url_for("academic.regrade_preview", regrade_id=regrade_id), 303)


def regrade_one(receipt: str) -> ResponseReturnValue:
    """Grade one submission once more, aside."""
    found = access.taught_submission(current_user, receipt) or abort(404)
    submission_id, by_id = found.id, current_user.id
    with writing() as session:
        submission = session.get_one(Submission, submission_id)
        made = regrades.begin(session, submission.assignment, by_id=by_id, submission=submission)
        regrade_id = made.id
    return redirect(url_for("academic.regrade_preview", regrade_id=regrade_id), 303)


def preview(regrade_id: int) -> Response:
    """What would change; to htmx only the part that changes while jobs run."""
    found = access.taught_regrade(current_user, regrade_id) or abort(404)
    rows = regrade_rows.rows_of(db.session(), found)
    counts = {state: sum(row.state == state for row in rows) for state in regrade_rows.STATES}
    is_fragment = "HX-Request" in request.headers
    template = "academic/_regrade_rows.html" if is_fragment else "academic/regrade.html"
    response = make_response(
        render_template(template, regrade=found, assignment=found.assignment, rows=rows, counts=counts)
    )
    if is_fragment:
        response.add_etag()
        response.make_conditional(request)
    return response


def publish(regrade_id: int) -> ResponseReturnValue:
    """Replace the grades that changed."""
    _regrade(regrade_id)
    by_id = current_user.id
    try:
        with writing() as session:
            count = regrades.publish(session, regrade_id, by_id=by_id)
    except RegradeRefused as refused:
        flash(str(refused), "warning")
    else:
        flash(f"Published: {count} grades are changed, and students see them now.", "success")
    return redirect(url_for("academic.regrade_preview", regrade_id=regrade_id), 303)


def discard(regrade_id: int) -> ResponseReturnValue:
    """Leave all grades as they are."""
    _regrade(regrade_id)
    by_id = current_user.id
    try:
        with writing() as session:
            regrades.discard(session, regrade_id, by_id=by_id)
    except RegradeRefused as refused:
        flash(str(refused), "warning")
    else:
        flash("Discarded: every grade stays as it is.", "success")
    return redirect(url_for("academic.regrade_preview", regrade_id=regrade_id), 303)


def _assignment(assignment_id: int) -> Assignment:
    return access.taught_assignment(current_user, assignment_id) or abort(404)


def _regrade(regrade_id: int) -> None:
    if access.taught_regrade(current_user, regrade_id) is None:
        abort(404)


def _back(assignment_id: int) -> ResponseReturnValue:
    return redirect(url_for("academic.grading", assignment_id=assignment_id), 303)
