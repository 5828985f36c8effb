"""Judging by hand: what a person marks is kept, and makes the total when all is marked."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.academic.assignments import materialised
from app.academic.grades import keep_report
from app.academic.grading.formats import load_assignment
from app.academic.grading.parts.rubric import Criterion, Item, Rubric
from app.academic.grading.results import GradeReport
from app.academic.models import Assignment, Grade, Submission
from app.academic.notification import request_grade_mail
from app.academic.rubric_marks import fold, marks_of
from app.academic.rubric_models import RubricItem, RubricMark
from app.academic.submissions import request_analytics
from app.db import db, writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from app.accounts.models import User

LONGEST_COMMENT: Final = 4000
LONGEST_ITEM: Final = 300
MOST_POINTS: Final = 10_000.0


class BadMark(ValueError):
    """What was sent cannot be kept; the message names the criterion and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a person says of one criterion: the items by their place in its list, and words."""

    items: tuple[int, ...] = ()
    change: float = 0.0
    comment: str = ""
    # An item to add for everybody, chosen here: its text and points.
    new_item: Item | None = None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One criterion with everything that can be chosen, and what was."""

    part: int
    part_title: str
    criterion: Criterion
    mark: RubricMark | None = None

    @property
    def key(self) -> str:
        """Its name among the fields of the form."""
        return f"c{self.part}-{self.criterion.name}"

    @property
    def chosen(self) -> frozenset[str]:
        """The texts of the items that were chosen."""
        return frozenset(text for _, text in json.loads(self.mark.items)) if self.mark else frozenset()


def rubrics_of(assignment: Assignment) -> list[tuple[int, Rubric]]:
    """Return the assignment's rubric parts by their number, as its folder has them now."""
    with materialised(assignment) as folder:
        parts = load_assignment(folder).parts
    return [(number, part) for number, part in enumerate(parts) if isinstance(part, Rubric)]


def has_rubric(assignment: Assignment) -> bool:
    """Whether a person has to judge a part of it; told without reading the whole folder."""
    return "rubric" in assignment.manifest and bool(rubrics_of(assignment))


def sheets_of(session: Session, submission: Submission) -> list[Sheet]:
    """Return every criterion of a submission, the shared items among its own, and what was marked."""
    marks = {(mark.part, mark.criterion): mark for mark in marks_of(session, submission.id)}
    shared = _shared_items(session, submission.assignment_id)
    return [
        Sheet(
            part=number,
            part_title=rubric.title,
            criterion=replace(one, items=(*one.items, *shared.get((number, one.name), ()))),
            mark=marks.get((number, one.name)),
        )
        for number, rubric in rubrics_of(submission.assignment)
        for one in rubric.criteria
    ]


def mark(submission: Submission, judged: Mapping[str, Judged], by: User) -> bool:
    """Keep what a person found, by the key of each sheet; tell whether the submission has its total now."""
    now = dt.datetime.now(dt.UTC)
    with writing() as session:
        found = session.get_one(Submission, submission.id, with_for_update=True)
        for sheet in sheets_of(session, found):
            if sheet.key in judged:
                _keep(session, found, sheet, judged[sheet.key], by, now)
        session.flush()
        grade = session.get(Grade, found.id)
        if grade is None or grade.outcome not in ("waiting", "graded"):
            return False
        takemarks_of(session, found, grade)
        request_grade_mail(session, found)
        request_analytics(session, found.assignment.course)
        return grade.outcome == "graded"


def takemarks_of(session: Session, submission: Submission, grade: Grade) -> None:
    """Fold the marks into a grade's report, and compute its total where nothing waits any more."""
    report = fold(GradeReport.from_json(grade.report), marks_of(session, submission.id))
    keep_report(session, submission, grade, report, version=grade.version)


def _keep(
    session: Session, submission: Submission, sheet: Sheet, judged: Judged, by: User, now: dt.datetime
) -> None:
    chosen = [item for place, item in enumerate(sheet.criterion.items) if place in judged.items]
    if judged.new_item is not None:
        chosen.append(judged.new_item)
        _share(session, submission.assignment_id, sheet, judged.new_item, now)
    changes = sum(item.points for item in chosen) + judged.change
    mark = sheet.mark or RubricMark(
        submission_id=submission.id, part=sheet.part, criterion=sheet.criterion.name
    )
    mark.points = sheet.criterion.points_for(changes)
    mark.items = json.dumps([[item.points, item.text] for item in chosen])
    mark.change, mark.comment = judged.change, judged.comment
    mark.marked_by_id, mark.marked_at = by.id, now
    session.add(mark)


def _share(session: Session, assignment_id: int, sheet: Sheet, item: Item, now: dt.datetime) -> None:
    if item.text in {known.text for known in sheet.criterion.items}:
        return
    session.add(
        RubricItem(
            assignment_id=assignment_id,
            part=sheet.part,
            criterion=sheet.criterion.name,
            points=item.points,
            text=item.text,
            created_at=now,
        )
    )


def _shared_items(session: Session, assignment_id: int) -> dict[tuple[int, str], list[Item]]:
    found: dict[tuple[int, str], list[Item]] = {}
    query = select(RubricItem).where(RubricItem.assignment_id == assignment_id).order_by(RubricItem.id)
    for item in session.scalars(query):
        found.setdefault((item.part, item.criterion), []).append(Item(points=item.points, text=item.text))
    return found


def to_mark(assignment_id: int) -> list[Submission]:
    """Return the newest attempt of each student that is waiting for a person, longest waiting first."""
    query = (
        select(Submission)
        .join(Grade, Grade.submission_id == Submission.id)
        .where(Submission.assignment_id == assignment_id, Grade.outcome == "waiting")
        .order_by(Submission.created_at, Submission.id)
    )
    newest: dict[int, Submission] = {}
    for submission in db.session.scalars(query):
        newest[submission.student_id] = submission
    return sorted(newest.values(), key=lambda it: (it.created_at, it.id))


def next_to_mark(submission: Submission) -> Submission | None:
    """Return whose turn it is after this one, round the list; None when nobody else waits."""
    waiting = [it for it in to_mark(submission.assignment_id) if it.id != submission.id]
    place = (submission.created_at, submission.id)
    return next((it for it in waiting if (it.created_at, it.id) > place), waiting[0] if waiting else None)
