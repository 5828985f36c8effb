"""One submission: receipt, live progress and result; for staff the source and what resembles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import abort, make_response, render_template, request
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic import access, attempt_diff, progress
from app.academic.comparison import SHOWN_FROM
from app.academic.downloads import text_download
from app.academic.gradebook.overrides import override_of
from app.academic.models import Submission, SubmissionFile
from app.academic.results import shown_result
from app.academic.similarity import pairs_for_submission
from app.academic.source import source_lines
from app.db import db
from app.runner import job_output

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.academic.similarity.models import SimilarityPair


class Match(NamedTuple):
    """Another student's work that resembles the submission, and how much of each is in the other."""

    pair: SimilarityPair
    other: Submission
    overlap: float
    overlap_other: float


def submission(receipt: str) -> Response:
    """The page of a submission; to htmx only the part that changes while jobs run."""
    found = access.visible_submission(current_user, receipt) or abort(404)
    steps = progress.steps_of(db.session(), found.id)
    values = {
        "submission": found,
        "steps": steps,
        "is_live": any(not step.is_finished for step in steps),
        "result": shown_result(found, is_staff=not current_user.is_student),
        "override": override_of(db.session(), found.assignment_id, found.student_id),
        "history": access.attempts_of(found.assignment_id, found.student_id),
    }
    if "HX-Request" in request.headers:
        return _unless_unchanged(make_response(render_template("academic/_live.html", **values)))
    if current_user.is_student:
        return make_response(render_template("academic/submission.html", **values))
    return make_response(render_template("academic/submission_staff.html", **values, **_evidence(found)))


def compare(receipt: str) -> str:
    """What changed from another attempt of the same student to this one."""
    after = access.visible_submission(current_user, receipt) or abort(404)
    history = access.attempts_of(after.assignment_id, after.student_id)
    wanted = request.args.get("with", "")
    others = [it for it in history if it.id != after.id and wanted in {"", str(it.number)}]
    # Unless another is asked for, the one before it.
    before = next((it for it in others if it.number < after.number), others[0] if others else None)
    if before is None:
        abort(404)
    is_staff = not current_user.is_student
    return render_template(
        "academic/compare.html",
        assignment=after.assignment,
        before=before,
        after=after,
        history=history,
        files=attempt_diff.file_diffs(before, after),
        tests=attempt_diff.test_pairs(
            shown_result(before, is_staff=is_staff), shown_result(after, is_staff=is_staff)
        ),
    )


def job_log(receipt: str, kind: str) -> str:
    """What the latest job of a kind wrote, for staff."""
    found = access.taught_submission(current_user, receipt) or abort(404)
    steps = {step.kind: step for step in progress.steps_of(db.session(), found.id)}
    if kind not in steps:
        abort(404)
    return render_template(
        "academic/job_log.html",
        submission=found,
        step=steps[kind],
        output=job_output(steps[kind].job_id),
    )


def download(receipt: str, file_id: int) -> ResponseReturnValue:
    """A file exactly as it was sent."""
    found = access.visible_submission(current_user, receipt) or abort(404)
    file = db.session.scalar(
        select(SubmissionFile).where(SubmissionFile.id == file_id, SubmissionFile.submission_id == found.id)
    )
    return text_download(file.name, file.content) if file else abort(404)


def _unless_unchanged(response: Response) -> Response:
    response.add_etag()
    response.make_conditional(request)
    return response


def _evidence(found: Submission) -> dict[str, object]:
    pairs = pairs_for_submission(db.session(), found.id)
    sides = {it.submission_a_id for it in pairs} | {it.submission_b_id for it in pairs}
    query = select(Submission).where(Submission.id.in_(sides)).options(joinedload(Submission.student))
    others = {other.id: other for other in db.session.scalars(query)}
    return {
        "sources": [(file, *source_lines(file.content, file.name)) for file in found.files],
        "matches": [_match(found.id, it, others) for it in pairs if it.score >= SHOWN_FROM],
    }


def _match(submission_id: int, pair: SimilarityPair, others: dict[int, Submission]) -> Match:
    if pair.submission_a_id == submission_id:
        return Match(pair, others[pair.submission_b_id], pair.overlap_a, pair.overlap_b)
    return Match(pair, others[pair.submission_a_id], pair.overlap_b, pair.overlap_a)
