"""Similarity, not proof: the pairs of an assignment, one pair side by side, a person's verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user

from app.academic import access, similar_work, similarity
from app.academic.comparison import contents_of, given_code, kind_of
from app.academic.downloads import csv_download
from app.academic.similar_work import VERDICTS, Filters
from app.academic.source import source_lines
from app.academic.submissions import request_comparison
from app.accounts import audit
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response
    from flask.typing import ResponseReturnValue
    from markupsafe import Markup

    from app.academic.models import Assignment, Submission
    from app.academic.similarity import Passage

_NOTE_LENGTH: Final = 2_000
_HIDES: Final = "hides_names"


class Line(NamedTuple):
    """A line of a source beside another, and the passage it belongs to."""

    number: int
    markup: Markup
    passage: Passage | None
    is_first: bool


class File(NamedTuple):
    """A file of a submission, line by line."""

    name: str
    lines: list[Line]


def ranking(assignment_id: int) -> str:
    """The pairs of an assignment, most alike first, and the clusters they make."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    names = _names(found)
    filters = _filters()
    rows, clusters = similar_work.pairs_of(db.session(), found)
    return render_template(
        "academic/similarity.html",
        assignment=found,
        rows=similar_work.filtered(rows, filters, names),
        total=len(rows),
        clusters=clusters,
        filters=filters,
        verdicts=VERDICTS,
        names=names,
        histogram_counts=similarity.similarity_histogram(db.session(), assignment_id),
    )


def ranking_csv(assignment_id: int) -> Response:
    """The pairs for a spreadsheet, under the same filters."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    names = _names(found)
    rows, _ = similar_work.pairs_of(db.session(), found)
    header = (
        "first",
        "attempt of first",
        "second",
        "attempt of second",
        "similarity",
        "% of first in second",
        "% of second in first",
        "cluster",
        "verdict",
        "note",
    )
    return csv_download(
        f"{found.slug}-similarity.csv",
        [header, *(_csv_row(row, names) for row in similar_work.filtered(rows, _filters(), names))],
    )


def hide_names(assignment_id: int) -> ResponseReturnValue:
    """Call students by numbers on the pages about similar work, or by name again."""
    access.taught_assignment(current_user, assignment_id) or abort(404)
    session[_HIDES] = request.form.get("hide") == "yes"
    pair_id = request.form.get("pair", type=int)
    if pair_id is not None:
        return redirect(url_for("academic.pair", pair_id=pair_id), 303)
    return redirect(url_for("academic.similarity", assignment_id=assignment_id), 303)


def compare_again(assignment_id: int) -> ResponseReturnValue:
    """Enqueue the comparison of the whole class."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    title = found.title
    with writing() as opened:
        job = request_comparison(opened, assignment_id)
        audit.record(opened, "comparison_requested", f"assignment:{assignment_id}")
        job_id = job.id
    flash(f"{title}: the whole class is compared again, as job {job_id}. Verdicts stay.", "success")
    return redirect(url_for("academic.similarity", assignment_id=assignment_id), 303)


def pair(pair_id: int) -> str:
    """Two submissions side by side with the passages they share."""
    found = access.taught_pair(current_user, pair_id) or abort(404)
    opened = db.session()
    sides = similar_work.submissions(opened, {found.submission_a_id, found.submission_b_id})
    side_a, side_b = sides[found.submission_a_id], sides[found.submission_b_id]
    assignment = side_a.assignment
    passages = similarity.passages(
        contents_of(side_a), contents_of(side_b), kind=kind_of(assignment), base=given_code(assignment)
    )
    rows, _ = similar_work.pairs_of(opened, assignment)
    return render_template(
        "academic/pair.html",
        pair=found,
        evidence=similarity.evidence_of(found),
        assignment=assignment,
        names=_names(assignment),
        sides=(
            (side_a, "a", found.overlap_a, _files(side_a, _ranges(passages, "a"))),
            (side_b, "b", found.overlap_b, _files(side_b, _ranges(passages, "b"))),
        ),
        passages=list(zip(passages, similarity.seen_in(opened, assignment.id, passages), strict=True)),
        author_count=similarity.author_count(opened, assignment.id),
        moments=similar_work.timeline(opened, side_a, side_b),
        next_row=similar_work.next_open(rows, found.id, assignment.flag_at),
        histogram_counts=similarity.similarity_histogram(opened, assignment.id),
    )


def decide(pair_id: int) -> ResponseReturnValue:
    """Record what a person made of the pair, and who it was."""
    found = access.taught_pair(current_user, pair_id) or abort(404)
    verdict = request.form.get("verdict", "")
    note = request.form.get("note", "").strip()
    if verdict not in VERDICTS or len(note) > _NOTE_LENGTH:
        abort(400, f"A verdict is one of {', '.join(VERDICTS)}, a note at most {_NOTE_LENGTH} characters.")
    user_id, before, found_id = current_user.id, found.verdict or "open", found.id
    with writing() as opened:
        similarity.decide(
            opened,
            found_id,
            verdict=None if verdict == "open" else verdict,
            decided_by_id=user_id,
            note=note,
        )
        audit.record(
            opened, "similarity_decided", f"similarity:{found_id}", before=before, after=_said(verdict, note)
        )
    flash("Your verdict is kept. Only staff of this course see it.", "success")
    return redirect(url_for("academic.pair", pair_id=pair_id), 303)


def _said(verdict: str, note: str) -> str:
    return f"{verdict}: {note[:200]}" if note else verdict


def _names(assignment: Assignment) -> similar_work.Names:
    return similar_work.names_of(db.session(), assignment, is_hidden=bool(session.get(_HIDES)))


def _filters() -> Filters:
    """What the address asks for; what is no filter is left out."""
    at_least = request.args.get("at_least", type=int)
    verdict = request.args.get("verdict", "")
    return Filters(
        at_least=min(max(at_least, Filters().at_least), 100) if at_least is not None else Filters().at_least,
        verdict=verdict if verdict in VERDICTS else "",
        text=request.args.get("text", "").strip()[:100],
        cluster=request.args.get("cluster", type=int),
    )


def _csv_row(row: similar_work.Row, names: similar_work.Names) -> tuple[object, ...]:
    return (
        names(row.a.student),
        row.a.number,
        names(row.b.student),
        row.b.number,
        row.pair.score,
        round(100 * row.pair.overlap_a),
        round(100 * row.pair.overlap_b),
        row.cluster,
        row.verdict,
        row.pair.note,
    )


def _ranges(passages: Sequence[Passage], side: str) -> list[tuple[str, int, int, Passage]]:
    if side == "a":
        return [(it.file_a, it.first_line_a, it.last_line_a, it) for it in passages]
    return [(it.file_b, it.first_line_b, it.last_line_b, it) for it in passages]


def _files(submission: Submission, ranges: list[tuple[str, int, int, Passage]]) -> list[File]:
    return [
        File(file.name, _lines(file.content, [it for it in ranges if it[0] == file.name]))
        for file in submission.files
    ]


def _lines(content: bytes, ranges: list[tuple[str, int, int, Passage]]) -> list[Line]:
    starts = {first: it for _, first, _, it in reversed(ranges)}
    within = {number: it for _, first, last, it in reversed(ranges) for number in range(first, last + 1)}
    shown, _ = source_lines(content)
    return [
        Line(number, markup, starts.get(number, within.get(number)), number in starts)
        for number, markup in enumerate(shown, start=1)
    ]
