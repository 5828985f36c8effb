"""What a student does: find the assignment, hand in, read the starter files."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic import access, answer_forms, routes_staff, snapshots
from app.academic.answer_forms import AnswersRejected
from app.academic.arriving import arrived_at
from app.academic.downloads import text_download
from app.academic.figures import for_students
from app.academic.gradebook import overrides
from app.academic.models import AssignmentFile, Submission
from app.academic.policy import budget_of, counting, deadline_of, extension_of
from app.academic.receiving import accepted_kinds, received
from app.academic.refusals import HandInRefused
from app.academic.submissions import choose_attempt
from app.academic.submissions import hand_in as store_submission
from app.academic.uploads import UploadRejected
from app.db import db

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from app.academic.answer_forms import Field
    from app.academic.gradebook.models import GradeOverride
    from app.academic.models import Assignment, Course
    from app.academic.policy import Budget, Deadline
    from app.academic.statistics import Summary
    from app.academic.submissions import HandedIn

_FIELD: Final = "file"


class Mine(NamedTuple):
    """How a student stands with an assignment."""

    latest: Submission | None
    counting: Submission | None
    override: GradeOverride | None
    deadline: Deadline
    budget: Budget


def home() -> str:
    """A student's courses with what is due, or the courses that staff teach."""
    courses = db.session.scalars(access.courses_of(current_user)).all()
    if not current_user.is_student:
        return routes_staff.courses(courses)
    return render_template("academic/home.html", courses=courses, mine=_mine(courses))


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
        sent = received(_sent(found), found.submit_names, max_bytes=found.max_bytes)
        handed_in = store_submission(current_user, found, sent.uploads, at=arrived_at())
    except (UploadRejected, HandInRefused, AnswersRejected) as refused:
        problems = refused.problems if isinstance(refused, AnswersRejected) else {}
        again = access.visible_assignment(current_user, assignment_id) or abort(404)
        return _page(again, str(refused), problems=problems), 422
    _tell(handed_in, sent.left_out)
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


def choose(receipt: str) -> ResponseReturnValue:
    """Make this attempt the one that counts, where that is the student's choice."""
    found = access.visible_submission(current_user, receipt) or abort(404)
    if not current_user.is_student:
        abort(403)
    try:
        choose_attempt(found)
    except HandInRefused as refused:
        flash(str(refused), "error")
    else:
        flash(
            f"Attempt {found.number} counts now. You can choose another until the assignment closes.",
            "success",
        )
    return redirect(url_for("academic.assignment", assignment_id=found.assignment_id), 303)


def _tell(handed_in: HandedIn, left_out: Sequence[str]) -> None:
    if not handed_in.is_new:
        flash(f"This is byte for byte your attempt {handed_in.number}, so nothing new was stored.", "warning")
    elif handed_in.same_as is not None:
        earlier = f"This is byte for byte your attempt {handed_in.same_as}"
        flash(f"{earlier}: it shares its result and spends no attempt.", "warning")
    if left_out:
        names = ", ".join(name[:60] for name in left_out[:5]) + (" and more" if len(left_out) > 5 else "")  # noqa: PLR2004 - shown
        flash(f"Left out of the archive, as nobody asked for it: {names}.", "warning")


def _page(found: Assignment, problem: str = "", *, problems: Mapping[str, str] | None = None) -> str:
    now = dt.datetime.now(dt.UTC)
    extension = extension_of(db.session(), found.id, current_user.id)
    history = access.attempts_of(found.id, current_user.id)
    return render_template(
        "academic/assignment.html",
        assignment=found,
        history=history,
        counting=counting(history, found.counts),
        deadline=deadline_of(found, extension),
        budget=budget_of(
            db.session(),
            found,
            current_user.id,
            at=now,
            extra=extension.extra_attempts if extension else 0,
        ),
        now=now,
        kinds=accepted_kinds(found.submit_names),
        given=[file for file in found.files if file.is_given],
        problem=problem,
        questions=_fields(found, history, problems or {}),
        override=overrides.override_of(db.session(), found.id, current_user.id),
        others=_others(found, now),
    )


def _others(found: Assignment, now: dt.datetime) -> Summary | None:
    """The class in numbers, when the deadline is over and there are enough of them."""
    if found.due_at is None or now < found.due_at:
        return None
    return for_students(snapshots.current_report(db.session(), found))


def _fields(found: Assignment, history: Sequence[Submission], problems: Mapping[str, str]) -> list[Field]:
    """The questions of the form: as they were just sent, or as the newest attempt answers them."""
    questions = answer_forms.questions_of(found)
    is_sent = request.method == "POST"
    given = (
        answer_forms.sent_answers(questions, request.form)
        if is_sent
        else answer_forms.earlier_answers(history[0] if history else None)
    )
    return answer_forms.fields_of(questions, given, problems)


def _sent(found: Assignment) -> list[tuple[str, bytes]]:
    """What the form brought: files, and the answers as a file of their own."""
    questions = answer_forms.questions_of(found)
    if not questions:
        return _sent_files()
    answers = answer_forms.answers_file(questions, answer_forms.sent_answers(questions, request.form))
    return [answers] if len(found.submit_names) == 1 else [answers, *_sent_files()]


def _sent_files() -> list[tuple[str, bytes]]:
    parts = request.files.getlist(_FIELD)
    if not parts and _FIELD in request.form:
        raise UploadRejected("File: it came as text. Choose a file and send that.")
    if not parts:
        raise UploadRejected("File: the form came without one. Choose a file.")
    # The whole request is bounded already: no part is larger than MAX_CONTENT_LENGTH.
    return [(part.filename or "", part.stream.read()) for part in parts]


def _mine(courses: Sequence[Course]) -> dict[int, Mine]:
    """How the student stands with each assignment, by its number."""
    attempts: dict[int, list[Submission]] = defaultdict(list)
    query = (
        select(Submission)
        .where(Submission.student_id == current_user.id)
        .options(joinedload(Submission.grade))
        .order_by(Submission.number)
    )
    for submission in db.session.scalars(query):
        attempts[submission.assignment_id].append(submission)
    changed = overrides.overrides_for_student(db.session(), current_user.id)
    now = dt.datetime.now(dt.UTC)
    found: dict[int, Mine] = {}
    for course in courses:
        for assignment in (it for it in course.assignments if it.is_published):
            extension = extension_of(db.session(), assignment.id, current_user.id)
            extra = extension.extra_attempts if extension else 0
            made = attempts[assignment.id]
            found[assignment.id] = Mine(
                latest=made[-1] if made else None,
                counting=counting(made, assignment.counts),
                override=changed.get(assignment.id),
                deadline=deadline_of(assignment, extension),
                budget=budget_of(db.session(), assignment, current_user.id, at=now, extra=extra),
            )
    return found
