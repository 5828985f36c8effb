"""What a launcher has in hand, and what becomes of it when its warm parent dies."""

from __future__ import annotations

from app.runner.book import Book
from app.runner.store import Claimed


def claimed(job_id: int, *, crashes: int = 0) -> Claimed:
    """Give the claim of a job's first attempt."""
    names = {"class_name": "m.C", "method": "handle", "parameters": "[]", "shown_parameters": "[]"}
    return Claimed(
        job_id=job_id, attempt=1, priority=2, attempts_used=1, max_attempts=1, crashes=crashes,
        timeout_seconds=None, **names,
    )  # fmt: skip


def handed_over(*job_ids: int, is_reusing: bool = False) -> Book:
    """Give a book whose jobs have all been handed to the engine."""
    book = Book(len(job_ids), is_reusing=is_reusing)
    book.take([claimed(job_id) for job_id in job_ids])
    book.next_orders()
    return book


def ends(book: Book) -> dict[int, str]:
    """Give the outcome of each job that has ended."""
    return {end.job_id: end.outcome for end in book.finishes}


def started(job_id: int) -> dict[str, object]:
    """Give what a warm parent says right before it tells a process its order."""
    return {"kind": "started", "job": job_id, "attempt": 1, "pid": 42, "process_started": 1.0}


def test_what_had_not_begun_is_no_crash_of_a_dead_warm_parent() -> None:
    """A warm parent that dies is a crash of the jobs it had begun; the others are given back whole."""
    # given
    book = handed_over(1, 2)
    book.hear(started(1))

    # when
    book.lose(book.ids())

    # then
    assert {1: "crashed", 2: "interrupted"} == ends(book)
    (waiting,) = (end for end in book.finishes if end.job_id == 2)
    assert ("pending", 1, 0) == (waiting.status, waiting.gives_back, waiting.crash)
    assert "its warm parent died before it began" == waiting.error


def test_where_processes_are_reused_all_may_have_begun() -> None:
    """A reused process tells of a short job at its end only: it may be what killed the warm parent."""
    book = handed_over(1, 2, is_reusing=True)

    book.lose(book.ids())

    assert {1: "crashed", 2: "crashed"} == ends(book)


def test_what_no_process_could_be_had_for_says_so() -> None:
    """A job that could not be started is given back, and its attempt says why."""
    book = handed_over(1)

    book.hear({"kind": "unstarted", "job": 1, "attempt": 1, "why": "no process could be had: too many"})

    assert ["no process could be had: too many"] == [end.error for end in book.finishes]


def test_who_has_crashed_before_is_not_handed_over_with_the_others() -> None:
    """It runs apart, at once where a slot is free; all others go on side by side."""
    book = Book(2, is_reusing=False)
    book.take([claimed(1, crashes=1), claimed(2), claimed(3, crashes=2), claimed(4, crashes=1)])

    assert [1, 3] == [order.job_id for order in book.next_apart()]
    assert [] == list(book.next_apart()), "both slots are theirs"
    assert [] == book.next_orders()
    assert {1, 2, 3, 4} == book.ids()


def test_who_comes_after_one_that_cannot_be_started_apart_has_not_begun() -> None:
    """What is in hand and not begun is still there for the next turn."""
    book = Book(2, is_reusing=False)
    book.take([claimed(1, crashes=1), claimed(2, crashes=1)])

    for order in book.next_apart():
        assert 1 == order.job_id
        break

    assert [2] == [order.job_id for order in book.next_apart()]


def test_a_stop_gives_back_who_was_to_run_apart() -> None:
    """What is claimed and has not begun goes back with its attempt, crashed before or not."""
    book = Book(1, is_reusing=False)
    book.take([claimed(1), claimed(2, crashes=1)])

    book.give_back()

    assert {1: "interrupted", 2: "interrupted"} == ends(book)
