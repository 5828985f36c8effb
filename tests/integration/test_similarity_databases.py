"""The index of the similarity check on each database: its statements are written out for each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.academic.models import Assignment, Course, Submission
from app.academic.similarity import (
    check_submission,
    fingerprint,
    forget,
    highest_score,
    rebuild,
    store_prints,
    sweep_and_keep,
)
from app.academic.similarity.models import SimilarityClass, SimilarityPosting
from app.academic.similarity.postings import LONGEST
from app.accounts.models import User
from app.db import Base
from tests.databases import KINDS, new_database

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHORS = 120  # more than the list of holders has room for
SOURCE = "\n".join(
    f"def step{n}(rows):\n    return [row * {n} for row in rows if row > {n}]" for n in range(9)
)


@pytest.fixture(scope="module", params=["sqlite", *KINDS])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """An empty database with people, one assignment and a submission of each person."""
    name = request.param
    if name == "sqlite":
        yield from _opened("sqlite://")
        return
    if not KINDS[name].is_installed():
        pytest.skip(f"{KINDS[name].program} is not installed")
    with new_database(KINDS[name]) as url:
        yield from _opened(url)


def _opened(url: str) -> Iterator[Session]:
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    now = dt.datetime.now(dt.UTC)
    with Session(engine) as opened:
        people = [
            User(
                email=f"p{n}@example.com",
                first_name="P",
                last_name=str(n),
                role="student",
                password_hash="x",
                created_at=now,
            )
            for n in range(AUTHORS)
        ]
        opened.add_all(people)
        opened.flush()
        course = Course(code="C", title="C", instructor_id=people[0].id, created_at=now)
        opened.add(course)
        opened.flush()
        assignment = Assignment(course_id=course.id, slug="a", title="A", max_bytes=9, created_at=now)
        opened.add(assignment)
        opened.flush()
        opened.add_all(
            Submission(
                assignment_id=assignment.id,
                student_id=person.id,
                number=1,
                receipt=f"r{person.id}",
                sha256="",
                created_at=now,
            )
            for person in people
        )
        opened.commit()
        yield opened
        opened.rollback()
    engine.dispose()


def test_the_index_counts_the_same_on_every_database(session: Session) -> None:
    """Adding, reading, forgetting, counting anew and comparing a class: the same rows everywhere."""
    submissions = session.scalars(select(Submission).order_by(Submission.id)).all()
    assignment_id = submissions[0].assignment_id
    prints = fingerprint({"a.py": SOURCE.encode()})
    for submission in submissions[:-1]:
        store_prints(
            session,
            prints,
            submission_id=submission.id,
            assignment_id=assignment_id,
            author_id=submission.student_id,
        )
    last = submissions[-1]
    result = check_submission(
        session,
        submission_id=last.id,
        assignment_id=assignment_id,
        author_id=last.student_id,
        files={"a.py": SOURCE.replace("row", "line").encode()},
    )
    assert result.flagged
    postings = session.scalars(select(SimilarityPosting)).all()
    assert AUTHORS == max(it.author_count for it in postings)
    assert all(LONGEST < len(it.holders) or it.author_count < AUTHORS for it in postings)
    assert all(it.holders.startswith(",") and it.holders.endswith(",") for it in postings)
    forget(session, submissions[0].id)
    session.expire_all()
    postings = session.scalars(select(SimilarityPosting)).all()
    assert AUTHORS - 1 == max(it.author_count for it in postings)
    assert not any(f",{submissions[0].id}," in it.holders for it in postings)
    assert AUTHORS - 1 == session.get_one(SimilarityClass, assignment_id).author_count
    counts = {it.hash: it.author_count for it in postings}
    rebuild(session, assignment_id)
    session.expire_all()
    assert counts == {it.hash: it.author_count for it in session.scalars(select(SimilarityPosting))}
    assert AUTHORS - 1 == sweep_and_keep(session, assignment_id)
    assert highest_score(session, last.id) >= 95
