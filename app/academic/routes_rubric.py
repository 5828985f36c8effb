"""Judging by hand: who waits, one submission beside its criteria, and what a person found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from app.academic import access, rubrics
from app.academic.grading.parts.rubric import Item
from app.academic.results import shown_result
from app.academic.rubrics import BadMark, Judged, Sheet
from app.academic.source import source_lines
from app.db import db

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.academic.models import Submission

_TOO_MANY: Final = 200


def to_mark(assignment_id: int) -> str:
    """The submissions of an assignment that wait for a person."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    return render_template(
        "academic/to_mark.html",
        assignment=found,
        has_rubric=rubrics.has_rubric(found),
        waiting=rubrics.to_mark(found.id)[:_TOO_MANY],
    )


def rubric(receipt: str) -> str:
    """One submission with what was found automatically, its files, and its criteria."""
    return _page(access.taught_submission(current_user, receipt) or abort(404))


def mark(receipt: str) -> ResponseReturnValue:
    """Keep what the person found, and go on to the next one that waits if that was asked for."""
    found = access.taught_submission(current_user, receipt) or abort(404)
    try:
        judged = {sheet.key: _judged(number, sheet) for number, sheet in enumerate(_sheets(found))}
    except BadMark as error:
        return _page(found, str(error)), 422
    is_complete = rubrics.mark(found, judged, current_user)
    told = "Kept; the total is there." if is_complete else "Kept; the total comes when grading is done."
    flash(f"{found.student.full_name}: {told}", "success")
    following = rubrics.next_to_mark(found) if request.form.get("then") == "next" else None
    if following is not None:
        return redirect(url_for("academic.rubric", receipt=following.receipt), 303)
    if request.form.get("then") == "next":
        return redirect(url_for("academic.to_mark", assignment_id=found.assignment_id), 303)
    return redirect(url_for("academic.rubric", receipt=receipt), 303)


def _page(found: Submission, problem: str = "") -> str:
    waiting = rubrics.to_mark(found.assignment_id)
    return render_template(
        "academic/rubric.html",
        submission=found,
        assignment=found.assignment,
        sheets=_sheets(found),
        result=shown_result(found, is_staff=True),
        sources=[(file, *source_lines(file.content, file.name)) for file in found.files],
        waiting=len(waiting),
        following=rubrics.next_to_mark(found),
        problem=problem,
    )


def _sheets(found: Submission) -> list[Sheet]:
    return rubrics.sheets_of(db.session(), found) or abort(404)


def _judged(number: int, sheet: Sheet) -> Judged:
    """Read one criterion of the form; the names of its fields end in its number on the page."""
    if request.form.get(f"key-{number}") != sheet.key:
        raise BadMark("The criteria changed while you judged: look at them again, nothing was kept.")
    comment = request.form.get(f"comment-{number}", "").replace("\r\n", "\n").strip()
    if len(comment) > rubrics.LONGEST_COMMENT:
        raise BadMark(
            f"{sheet.criterion.name}: expected at most {rubrics.LONGEST_COMMENT} characters of comment"
        )
    return Judged(
        items=tuple(_places(number, sheet)),
        change=_points(f"change-{number}", sheet),
        comment=comment,
        new_item=_new_item(number, sheet),
    )


def _places(number: int, sheet: Sheet) -> list[int]:
    chosen = request.form.getlist(f"item-{number}")
    return [place for place in range(len(sheet.criterion.items)) if str(place) in chosen]


def _new_item(number: int, sheet: Sheet) -> Item | None:
    text = " ".join(request.form.get(f"new-text-{number}", "").split())
    if not text:
        return None
    if len(text) > rubrics.LONGEST_ITEM:
        raise BadMark(
            f"{sheet.criterion.name}: expected at most {rubrics.LONGEST_ITEM} characters for an item"
        )
    return Item(points=_points(f"new-points-{number}", sheet), text=text)


def _points(field: str, sheet: Sheet) -> float:
    text = request.form.get(field, "").strip().replace("\u2212", "-").replace(",", ".")
    try:
        value = float(text or "0")
    except ValueError:
        value = math.nan
    if not abs(value) <= rubrics.MOST_POINTS:
        raise BadMark(f"{sheet.criterion.name}: expected points such as -2 or 0.5, not {text[:20]!r}")
    return value
