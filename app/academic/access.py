"""Who may see which rows: every page's query starts here.

What a person may not see is not found, as if it did not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, false, select, true
from sqlalchemy.orm import joinedload, selectinload

from app.academic.gradebook.models import Regrade
from app.academic.models import Assignment, Course, Enrollment, Submission
from app.academic.similarity.models import SimilarityPair
from app.accounts.models import User
from app.db import db

if TYPE_CHECKING:
    from collections.abc import Sequence


def courses_of(user: User) -> Select[Course]:
    """The courses a person takes, teaches or administers, by code."""
    return (
        select(Course)
        .where(_course_is_visible(user))
        .options(selectinload(Course.assignments.and_(_is_open(user))))
        .order_by(Course.code)
    )


def taught_course(user: User, course_id: int) -> Course | None:
    """A course whose work this person may judge."""
    return db.session.scalar(select(Course).where(Course.id == course_id, _is_taught(user)))


def visible_assignment(user: User, assignment_id: int) -> Assignment | None:
    """An assignment of a course the person takes, teaches or administers."""
    return db.session.scalar(
        select(Assignment)
        .join(Course)
        .where(Assignment.id == assignment_id, _course_is_visible(user), _is_open(user))
        .options(joinedload(Assignment.course))
    )


def taught_assignment(user: User, assignment_id: int) -> Assignment | None:
    """An assignment whose submissions this person may judge."""
    return db.session.scalar(
        select(Assignment)
        .join(Course)
        .where(Assignment.id == assignment_id, _is_taught(user))
        .options(joinedload(Assignment.course))
    )


def student_of(course_id: int, student_id: int) -> User | None:
    """Somebody who takes a course."""
    return db.session.scalar(
        select(User)
        .join(Enrollment, Enrollment.student_id == User.id)
        .where(Enrollment.course_id == course_id, User.id == student_id)
    )


def visible_submission(user: User, receipt: str) -> Submission | None:
    """A student's own submission, or one of a course the person teaches or administers."""
    mine = (Submission.student_id == user.id) if user.is_student else _is_taught(user)
    return db.session.scalar(
        select(Submission)
        .join(Submission.assignment)
        .join(Assignment.course)
        .where(Submission.receipt == receipt, mine)
        .options(
            joinedload(Submission.assignment).joinedload(Assignment.course), joinedload(Submission.grade)
        )
    )


def attempts_of(assignment_id: int, student_id: int) -> Sequence[Submission]:
    """A student's attempts at an assignment, newest first."""
    return db.session.scalars(
        select(Submission)
        .where(Submission.assignment_id == assignment_id, Submission.student_id == student_id)
        .options(joinedload(Submission.grade))
        .order_by(Submission.number.desc())
    ).all()


def taught_submission(user: User, receipt: str) -> Submission | None:
    """A submission of a course the person teaches or administers."""
    return None if user.is_student else visible_submission(user, receipt)


def taught_regrade(user: User, regrade_id: int) -> Regrade | None:
    """A regrade of a course the person teaches or administers."""
    return db.session.scalar(
        select(Regrade)
        .join(Regrade.assignment)
        .join(Assignment.course)
        .where(Regrade.id == regrade_id, _is_taught(user))
        .options(joinedload(Regrade.assignment).joinedload(Assignment.course))
    )


def taught_pair(user: User, pair_id: int) -> SimilarityPair | None:
    """Two similar submissions of a course the person teaches or administers."""
    return db.session.scalar(
        select(SimilarityPair)
        .join(Assignment, Assignment.id == SimilarityPair.assignment_id)
        .join(Course)
        .where(SimilarityPair.id == pair_id, _is_taught(user))
    )


def _is_taught(user: User) -> ColumnElement[bool]:
    if user.is_admin:
        return true()
    return Course.instructor_id == user.id if user.is_instructor else false()


def _is_open(user: User) -> ColumnElement[bool]:
    # A draft is for staff.
    return Assignment.is_published.is_(True) if user.is_student else true()


def _course_is_visible(user: User) -> ColumnElement[bool]:
    if not user.is_student:
        return _is_taught(user)
    taken = select(Enrollment.course_id).where(Enrollment.student_id == user.id)
    return Course.id.in_(taken)
