"""The similarity check on a database: who is found, who is not, and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, delete, event, func, select, update
from sqlalchemy.orm import Session

import app.academic.models  # noqa: F401 - the tables that ours refer to
from app.academic.similarity import (
    SimilarityResult,
    check_submission,
    decide,
    forget,
    highest_score,
    keep_all,
    look_up,
    pairs_for_submission,
    ranked_pairs,
    rebuild,
    refresh,
    similarity_histogram,
    sweep_and_keep,
)
from app.academic.similarity.models import (
    SimilarityClass,
    SimilarityDocument,
    SimilarityPair,
    SimilarityPosting,
)
from app.academic.similarity.postings import select_statement
from app.academic.similarity.results import SMALL_CLASS, TOO_FEW, TOO_SHORT
from app.db import Base
from bench.disguise import reformatted, renamed, reordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TASK = Path(__file__).parents[1] / "data" / "similarity" / "python" / "words"
SOLUTIONS = [path.read_text() for path in sorted(TASK.glob("*.txt"))]


@pytest.fixture
def session() -> Iterator[Session]:
    """A database in memory with all tables."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def check(
    session: Session,
    number: int,
    source: str,
    *,
    author: int | None = None,
    base: str = "",
    assignment: int = 1,
) -> SimilarityResult:
    """Check a submission of the author with the same number."""
    return check_submission(
        session,
        submission_id=number,
        assignment_id=assignment,
        author_id=author or number,
        files={"words.py": source.encode()},
        base=[base.encode()] if base else (),
    )


def hand_in_all(session: Session, count: int = len(SOLUTIONS)) -> None:
    """Check independent solutions of authors 1, 2, ..."""
    for number, source in enumerate(SOLUTIONS[:count], start=1):
        check(session, number, source)


def contents(session: Session) -> list[list[tuple[object, ...]]]:
    """Everything counted, for comparing before and after."""
    queries = (
        select(SimilarityClass.assignment_id, SimilarityClass.author_count),
        select(SimilarityPosting.hash, SimilarityPosting.author_count, SimilarityPosting.holders),
        select(SimilarityPair.submission_a_id, SimilarityPair.submission_b_id, SimilarityPair.score),
    )
    return [sorted(tuple(row) for row in session.execute(query)) for query in queries]


def test_independent_solutions_are_not_flagged(session: Session) -> None:
    """Whoever solves the same task alone is left in peace."""
    hand_in_all(session)
    assert [] == [number for number in range(1, 9) if highest_score(session, number) >= 50]


@pytest.mark.parametrize("disguise", [str, renamed, reformatted, reordered])
@pytest.mark.parametrize("others", [0, 1, 2, 7])
def test_a_copy_is_found(session: Session, disguise: Callable[[str], str], others: int) -> None:
    """New names, layout or order hide nothing, in a class of two and in a larger one."""
    # Given
    hand_in_all(session, 1 + others)
    # When
    result = check(session, 99, disguise(SOLUTIONS[0]))
    # Then
    assert (True, 1) == (result.flagged, result.matches[0].submission_id)
    assert result.score == result.matches[0].score >= 50


def test_a_copy_flags_the_one_copied_from_too(session: Session) -> None:
    """A pair is one row that both sides see, with each side's own overlap."""
    hand_in_all(session)
    longer = SOLUTIONS[0] + "\n" + SOLUTIONS[0].replace("words", "verbs").replace("text", "speech")
    check(session, 99, longer)
    pair = pairs_for_submission(session, 1)[0]
    assert (1, 99) == (pair.submission_a_id, pair.submission_b_id)
    assert pair.overlap_a > pair.overlap_b
    assert highest_score(session, 1) == highest_score(session, 99) >= 50


def test_checking_again_changes_nothing(session: Session) -> None:
    """A job that runs twice leaves what a job that ran once leaves."""
    hand_in_all(session)
    first = check(session, 99, renamed(SOLUTIONS[0]))
    before = contents(session)[:2]
    again = check(session, 99, renamed(SOLUTIONS[0]))
    assert (first.score, first.matches[0]) == (again.score, again.matches[0])
    assert before == contents(session)[:2]


def test_a_changed_submission_replaces_the_former(session: Session) -> None:
    """Fingerprints, counts and findings of the former content are gone."""
    hand_in_all(session)
    check(session, 99, SOLUTIONS[0])
    result = check(session, 99, "def other(a):\n    return [b for b in a if b]\n" * 20)
    assert (0, False) == (highest_score(session, 99), result.flagged)


def test_ones_own_attempts_are_no_similarity(session: Session) -> None:
    """A student hands in again and again; that is not copying, and makes nothing common."""
    hand_in_all(session)
    for number in range(50, 56):
        assert not check(session, number, SOLUTIONS[0], author=1).flagged
    counts = set(session.scalars(select(SimilarityPosting.author_count)))
    assert max(counts) <= 8
    assert 8 == session.scalar(select(SimilarityClass.author_count))


def test_what_the_instructor_gave_is_no_similarity(session: Session) -> None:
    """Two who hand in the stub unchanged have shown nothing."""
    first = check(session, 1, SOLUTIONS[0], base=SOLUTIONS[0])
    second = check(session, 2, SOLUTIONS[0], base=SOLUTIONS[0])
    assert (0, 0) == (first.score, second.score)
    assert TOO_SHORT == second.note


def test_another_assignment_is_another_class(session: Session) -> None:
    """Only work for the same assignment is compared."""
    check(session, 1, SOLUTIONS[0])
    result = check(session, 2, SOLUTIONS[0], assignment=2)
    assert (0, TOO_FEW, 1) == (result.score, result.note, result.class_size)


@pytest.mark.parametrize(("count", "note"), [(1, TOO_FEW), (2, SMALL_CLASS), (4, SMALL_CLASS), (5, "")])
def test_a_small_class_is_said(session: Session, count: int, note: str) -> None:
    """The page says what the score can and cannot tell."""
    results = [check(session, n, source) for n, source in enumerate(SOLUTIONS[:count], start=1)]
    assert note == results[-1].note


def test_a_tiny_program_is_too_short_to_judge(session: Session) -> None:
    """Everybody's first line of Python is the same."""
    check(session, 1, 'print("Hello")\n')
    result = check(session, 2, 'print("Hello")\n')
    assert (0, False, TOO_SHORT) == (result.score, result.flagged, result.note)


def test_a_ring_larger_than_a_fifth_of_the_class_is_found(session: Session) -> None:
    """What many share is common and weighs nothing, but the whole program is the same."""
    hand_in_all(session)
    results = [check(session, 20 + n, renamed(SOLUTIONS[6])) for n in range(8)]
    assert all(result.flagged and result.matches[0].is_same_group for result in results[1:])


def test_prose_copied_from_a_class_mate_is_found(session: Session) -> None:
    """Texts are compared by their phrases."""
    shared = "inheritance lets a class take over attributes and behaviour of another class"
    for number in range(1, 7):
        own = " ".join(f"word{number}x{place}" for place in range(60))
        text = f"{own} {shared}" if number in (2, 5) else own
        result = check_submission(
            session,
            submission_id=number,
            assignment_id=1,
            author_id=number,
            files={"essay.txt": text.encode()},
            kind="prose",
        )
        assert ([2] if number == 5 else []) == [match.submission_id for match in result.matches]
        assert (number == 5) == result.flagged


def test_a_verdict_stays_when_the_pair_is_compared_again(session: Session) -> None:
    """A person's decision is never overwritten by the machine."""
    check(session, 1, SOLUTIONS[0])
    check(session, 2, SOLUTIONS[0])
    pair = pairs_for_submission(session, 1)[0]
    assert decide(session, pair.id, verdict="dismissed", decided_by_id=7, note="worked as a pair")
    for number, source in enumerate(SOLUTIONS[1:], start=3):
        check(session, number, source)
    check(session, 1, SOLUTIONS[0])
    again = pairs_for_submission(session, 1)[0]
    assert ("dismissed", 7, "worked as a pair") == (again.verdict, again.decided_by_id, again.note)
    assert again.decided_at is not None


def test_a_verdict_can_be_taken_back_and_must_be_one(session: Session) -> None:
    """There are two verdicts and the open state; an unknown pair is said."""
    check(session, 1, SOLUTIONS[0])
    check(session, 2, SOLUTIONS[0])
    pair = pairs_for_submission(session, 1)[0]
    decide(session, pair.id, verdict="confirmed", decided_by_id=7)
    decide(session, pair.id, verdict=None, decided_by_id=7)
    assert (None, None, None) == (pair.verdict, pair.decided_by_id, pair.decided_at)
    with pytest.raises(ValueError, match="expected one of dismissed, confirmed"):
        decide(session, pair.id, verdict="guilty", decided_by_id=7)
    assert not decide(session, 10**6, verdict="confirmed", decided_by_id=7)


def test_forgetting_a_submission_leaves_no_trace(session: Session) -> None:
    """Counts are what they were before it came."""
    hand_in_all(session, 5)
    session.flush()
    before = contents(session)[:2]
    check(session, 99, renamed(SOLUTIONS[0]))
    forget(session, 99)
    forget(session, 99)
    assert before == contents(session)[:2]
    assert 0 == highest_score(session, 99)


def test_ranked_pairs_show_two_authors_once(session: Session) -> None:
    """Of many attempts of two authors only the most alike pair is listed, highest first."""
    hand_in_all(session)
    check(session, 90, renamed(SOLUTIONS[0]), author=20)
    check(session, 91, SOLUTIONS[0], author=20)
    check(session, 92, reordered(SOLUTIONS[1]), author=21)
    ranked = ranked_pairs(session, 1, minimum=50)
    assert [{1, 20}, {2, 21}] == [{found.author_a_id, found.author_b_id} for found in ranked]
    assert [100] == [ranked[0].pair.score]
    assert 1 == len(ranked_pairs(session, 1, limit=1))


def test_the_histogram_counts_every_submission_once(session: Session) -> None:
    """Each is counted at its highest score."""
    hand_in_all(session)
    check(session, 99, SOLUTIONS[0])
    histogram = similarity_histogram(session, 1)
    assert (20, 9, 2) == (len(histogram), sum(histogram), histogram[-1])


def test_what_was_compared_in_a_small_class_is_compared_again(session: Session) -> None:
    """Rarity is known only when the class has grown; nobody is forgotten."""
    hand_in_all(session)
    refresh(session, 1)
    sizes = session.scalars(select(SimilarityDocument.class_size)).all()
    assert all(size > 4 for size in sizes)
    assert 0 == refresh(session, 1)


def test_a_look_up_reads_no_more_in_a_larger_class(session: Session) -> None:
    """The number of statements does not grow with the number of submissions."""
    statements: list[str] = []
    assert session.bind is not None
    event.listen(session.bind, "before_cursor_execute", lambda *event: statements.append(event[2]))
    counts = []
    for number in range(1, 25):
        statements.clear()
        check(
            session, number, f"# by {number}\n" + SOLUTIONS[number % 8].replace("text", f"text{number % 5}")
        )
        counts.append(len(statements))
    assert max(counts[-4:]) <= max(counts[8:12]) + 5
    assert 24 == session.scalar(select(func.count()).select_from(SimilarityDocument))


def test_a_whole_class_compared_at_once_finds_the_same(session: Session) -> None:
    """The sweep has exact counts for both sides; copies stay copies, the others stay apart."""
    hand_in_all(session)
    check(session, 99, renamed(SOLUTIONS[0]))
    assert 9 == sweep_and_keep(session, 1)
    assert highest_score(session, 99) == highest_score(session, 1) >= 50
    assert [] == [number for number in range(2, 9) if highest_score(session, number) >= 50]
    first = contents(session)
    sweep_and_keep(session, 1)
    assert first == contents(session)


def test_a_sweep_keeps_verdicts_and_finds_large_rings(session: Session) -> None:
    """A person's word stays, and what is common because many copied it is found as a whole."""
    hand_in_all(session)
    for number in range(20, 28):
        check(session, number, renamed(SOLUTIONS[6]))
    pair = pairs_for_submission(session, 20)[0]
    decide(session, pair.id, verdict="dismissed", decided_by_id=7)
    sweep_and_keep(session, 1)
    assert all(highest_score(session, number) >= 95 for number in range(20, 28))
    assert "dismissed" == session.get_one(SimilarityPair, pair.id).verdict


def test_counts_can_be_made_again_from_the_documents(session: Session) -> None:
    """Rows that were deleted behind our back leave nothing wrong for good."""
    hand_in_all(session)
    check(session, 50, SOLUTIONS[0] + "\nextra = 1\n", author=1)
    before = contents(session)[:2]
    session.execute(update(SimilarityPosting).values(author_count=5, holders=",4,"))
    assert 8 == rebuild(session, 1)
    session.expire_all()
    assert before == contents(session)[:2]


def test_another_attempt_stands_in_for_a_forgotten_one(session: Session) -> None:
    """Who copied from the first attempt is found when only the second is left."""
    hand_in_all(session)
    check(session, 60, SOLUTIONS[0] + "\nextra = 1\n", author=1)
    forget(session, 1)
    result = check(session, 99, renamed(SOLUTIONS[0]))
    assert (60, True) == (result.matches[0].submission_id, result.flagged)


def test_a_look_up_goes_by_the_key(session: Session) -> None:
    """The plan searches the postings by assignment and fingerprint, never reading an assignment through."""
    hand_in_all(session)
    hashes = session.scalars(select(SimilarityPosting.hash).limit(900)).all()
    plan = [
        row[3]
        for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {select_statement(1, hashes)}")
    ]
    assert ["SEARCH similarity_postings USING PRIMARY KEY (assignment_id=? AND hash=?)"] == plan


def test_what_one_found_another_of_the_same_time_does_not_take_away(session: Session) -> None:
    """Two that are compared together need not both see their pair as promising."""
    hand_in_all(session)
    found = look_up(session, 1)[0]
    session.execute(delete(SimilarityPair))
    assert found.comparisons
    others = {comparison.submission_id for comparison in found.comparisons if comparison.score.value}
    blind = [replace(finding, comparisons=()) for other in others for finding in look_up(session, other)[:1]]
    keep_all(session, [found, *blind])
    kept = pairs_for_submission(session, 1)
    assert others == {pair.submission_b_id for pair in kept}
