"""What a course's mails may say: the one thing about mail that is the course's to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

from app.academic import access
from app.academic.mail_words import list_id
from app.academic.models import Course
from app.accounts import audit
from app.db import writing

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def course_mail(course_id: int) -> ResponseReturnValue:
    """Show whether subjects say the score, and keep what is chosen."""
    found = access.taught_course(current_user, course_id) or abort(404)
    if request.method == "GET":
        return render_template("academic/course_mail.html", course=found, list_id=list_id(found))
    is_said = request.form.get("is_score_in_subject") == "on"
    with writing() as session:
        course = session.get_one(Course, course_id)
        before, course.is_score_in_subject = course.is_score_in_subject, is_said
        if before != is_said:
            subject = f"course:{course_id}"
            audit.record(session, "score_in_subject", subject, before=_word(before), after=_word(is_said))
    flash("Saved. It holds for every mail from now on.", "success")
    return redirect(url_for("academic.course_mail", course_id=course_id), 303)


def _word(is_said: bool) -> str:  # noqa: FBT001 - it is all that there is
    return "said" if is_said else "not said"
