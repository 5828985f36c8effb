"""Similarity, not proof: the pairs of an assignment, one pair side by side, a person's verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.academic import access, similarity
from app.academic.comparison import SHOWN_FROM, contents_of, given_code, kind_of
from app.academic.models import Submission
from app.academic.source import source_lines
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue
    from markupsafe import Markup

    from app.academic.similarity import Passage

_NOTE_LENGTH: Final = 2_000
_VERDICTS: Final = {"confirmed": "confirmed", "dismissed": "dismissed", "open": None}


class Line(NamedTuple):
    """A line of a source beside another, and the passage it belongs to."""

    number: int
    markup: Markup
    passage: Passage | None
    is_first: bool


def ranking(assignment_id: int) -> str:
    """The pairs of an assignment, most alike first."""
    found = access.taught_assignment(current_user, assignment_id) or abort(404)
    pairs = similarity.ranked_pairs(db.session(), assignment_id, minimum=SHOWN_FROM)
    sides = {it.pair.submission_a_id for it in pairs} | {it.pair.submission_b_id for it in pairs}
    return render_template(
        "academic/similarity.html",
        assignment=found,
        pairs=[it.pair for it in pairs],
        submissions=_submissions(sides),
        histogram_counts=similarity.similarity_histogram(db.session(), assignment_id),
    )


def pair(pair_id: int) -> str:
    """Two submissions side by side with the passages they share."""
    found = access.taught_pair(current_user, pair_id) or abort(404)
    sides = _submissions({found.submission_a_id, found.submission_b_id})
    side_a, side_b = sides[found.submission_a_id], sides[found.submission_b_id]
    assignment = side_a.assignment
    passages = similarity.passages(
        contents_of(side_a), contents_of(side_b), kind=kind_of(assignment), base=given_code(assignment)
    )
    return render_template(
        "academic/pair.html",
        pair=found,
        assignment=assignment,
        sides=(
            (side_a, "a", found.overlap_a, _lines(side_a, _ranges(passages, "a"))),
            (side_b, "b", found.overlap_b, _lines(side_b, _ranges(passages, "b"))),
        ),
        passages=passages,
    )


def decide(pair_id: int) -> ResponseReturnValue:
    """Record what a person made of the pair."""
    found = access.taught_pair(current_user, pair_id) or abort(404)
    verdict = request.form.get("verdict", "")
    note = request.form.get("note", "").strip()
    if verdict not in _VERDICTS or len(note) > _NOTE_LENGTH:
        abort(400, f"A verdict is one of {', '.join(_VERDICTS)}, a note at most {_NOTE_LENGTH} characters.")
    user_id = current_user.id
    with writing() as session:
        similarity.decide(session, found.id, verdict=_VERDICTS[verdict], decided_by_id=user_id, note=note)
    flash("Your verdict is kept. Only staff of this course see it.", "success")
    return redirect(url_for("academic.pair", pair_id=pair_id), 303)


def _submissions(ids: set[int]) -> dict[int, Submission]:
    query = select(Submission).where(Submission.id.in_(ids)).options(joinedload(Submission.student))
    return {submission.id: submission for submission in db.session.scalars(query)}


def _ranges(passages: Sequence[Passage], side: str) -> list[tuple[str, int, int, Passage]]:
    if side == "a":
        return [(it.file_a, it.first_line_a, it.last_line_a, it) for it in passages]
    return [(it.file_b, it.first_line_b, it.last_line_b, it) for it in passages]


def _lines(submission: Submission, ranges: list[tuple[str, int, int, Passage]]) -> list[Line]:
    lines: list[Line] = []
    for file in submission.files:
        starts = {first: it for name, first, _, it in reversed(ranges) if name == file.name}
        within = {
            number: it
            for name, first, last, it in reversed(ranges)
            if name == file.name
            for number in range(first, last + 1)
        }
        shown, _ = source_lines(file.content)
        for number, markup in enumerate(shown, start=1):
            lines.append(Line(number, markup, starts.get(number, within.get(number)), number in starts))
    return lines
