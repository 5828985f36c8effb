"""The page of one job and its log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.dashboard_house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an application with an empty dashboard."""
    made = House(tmp_path)
    yield made
    made.close()


def polled(markup: str) -> list[str]:
    """List the addresses that a page asks for by itself."""
    return re.findall(r'data-poll hx-get="([^"]*)"', markup)


@pytest.mark.parametrize("job_id", ["0", "007", "-1", "1.5", "٣", "abc", "9" * 30, "5", "%00", "1%0a"])
@pytest.mark.parametrize("rest", ["", "/logs"])
def test_a_job_that_is_not_there_is_not_found(house: House, job_id: str, rest: str) -> None:
    """Anything but the number of a job is a 404, never an error of ours."""
    assert 404 == house.get(f"/{job_id}{rest}").status_code


@pytest.mark.parametrize("status", ["pending", "running"])
def test_what_may_still_change_asks_for_itself(house: House, status: str) -> None:
    """A job that is not finished carries its next poll."""
    job = house.add(status)

    assert [f"/background-jobs/{job}"] == polled(house.fragment(f"/{job}").text)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_what_is_finished_does_not_ask(house: House, status: str) -> None:
    """A finished job has nothing new to tell."""
    job = house.add(status)

    assert [] == polled(house.fragment(f"/{job}").text)


def test_a_failed_job_shows_error_and_traceback(house: House) -> None:
    """What went wrong is the first thing to see."""
    job = house.add("failed", error="KeyError: 'isbn'", attempt=1, attempts_used=1)
    house.attempt(job, 1, "failed", traceback="Traceback (most recent call last):\n  File x", signal=11)

    page = house.page(f"/{job}")

    assert "KeyError: &#39;isbn&#39;" in page
    assert "Traceback (most recent call last):" in page
    assert "SIGSEGV" in page


def test_a_pending_job_says_why_it_waits(house: House) -> None:
    """Nobody has to guess."""
    job = house.add(is_held=True)

    assert "Held by a person until someone releases it." in house.page(f"/{job}")


def test_progress_is_a_bar(house: House) -> None:
    """How far a job is can be seen and read out."""
    house.launcher()
    job = house.add("running", progress_done=3, progress_total=12, progress_message="chapters")

    page = " ".join(house.page(f"/{job}").split())

    assert '<progress max="12.0" value="3.0" aria-label="chapters">' in page
    assert "25 % · chapters" in page


def test_the_log_follows_while_the_attempt_runs(house: House) -> None:
    """The log of a running attempt polls; the log of a finished one does not."""
    house.launcher()
    job = house.add("running", attempt=2, attempts_used=2, max_attempts=3)
    house.attempt(job, 1, "retrying")
    house.attempt(job, 2)
    house.log(job, 2, b"hello\n")

    assert [f"/background-jobs/{job}/logs?attempt=2"] == polled(house.fragment(f"/{job}/logs").text)
    assert [] == polled(house.fragment(f"/{job}/logs?attempt=1").text)
    assert "hello" in house.page(f"/{job}")


def test_a_poll_of_the_job_leaves_its_log_alone(house: House) -> None:
    """The log has a poll of its own; the job's does not read the file again."""
    job = house.add("running")
    house.attempt(job, 1)
    house.log(job, 1, b"hello\n")

    answer = house.fragment(f"/{job}").text

    assert "hello" not in answer
    assert 'id="log-frame-1" hx-morph-skip' in answer


def test_only_the_end_of_a_long_log_is_shown(house: House) -> None:
    """A page stays light: the end from a whole line on, all of it on request."""
    job = house.add("failed", attempt=1, attempts_used=1)
    house.attempt(job, 1, "failed")
    house.log(job, 1, b"first line\n" + b"x" * 60 + b"\n" * 70_000 + b"last line\n")

    short, whole = house.page(f"/{job}/logs"), house.page(f"/{job}/logs?all=1")

    assert "last line" in short
    assert "first line" not in short
    assert "all=1" in short
    assert "first line" in whole


def test_output_cannot_repaint_the_page(house: House) -> None:
    """Control characters and markup in a log are shown, not obeyed."""
    job = house.add("failed", attempt=1, attempts_used=1)
    house.attempt(job, 1, "failed")
    house.log(job, 1, b"\x1b[31m<b>red</b>\x00\xff\r\n\xe2\x80\xaetxt")

    page = house.page(f"/{job}/logs")

    assert "\\x1b[31m&lt;b&gt;red&lt;/b&gt;\\x00\ufffd\n\\u202etxt" in page


def test_a_download_is_the_bytes_and_nothing_to_render(house: House) -> None:
    """A browser must save a log, and neither show it nor guess what it is."""
    job = house.add("failed", attempt=1, attempts_used=1)
    house.attempt(job, 1, "failed")
    house.log(job, 1, b"<script>\x1b[0m")

    answer = house.get(f"/{job}/logs?download=1")
    data = answer.get_data()
    answer.close()

    assert b"<script>\x1b[0m" == data
    assert "text/plain" == answer.mimetype
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert f"attachment; filename=job-{job}-attempt-1.log" == answer.headers["Content-Disposition"]


def test_a_log_that_was_never_written_is_empty(house: House) -> None:
    """No output and no attempt are two different sentences, and no error."""
    silent, unstarted = house.add("completed", attempt=1, attempts_used=1), house.add()
    house.attempt(silent, 1, "completed")

    assert "It wrote nothing." in house.page(f"/{silent}/logs")
    assert "the job was never started" in house.page(f"/{unstarted}/logs")
    assert b"" == house.get(f"/{unstarted}/logs?download=1").data


@pytest.mark.parametrize(
    ("query", "status"), [("attempt=2", 404), ("attempt=x", 400), ("all=yes", 400), ("n=1", 400)]
)
def test_a_log_that_is_not_there_is_said_so(house: House, query: str, status: int) -> None:
    """An attempt that never was is not found; a wrong parameter is named."""
    job = house.add("failed", attempt=1, attempts_used=1)
    house.attempt(job, 1, "failed")

    assert status == house.get(f"/{job}/logs?{query}").status_code


def test_the_failures_are_the_failed_jobs(house: House) -> None:
    """The failed-log view shows what failed and nothing else, with error, traceback and log."""
    failed = house.add("failed", error="boom", attempt=1, attempts_used=1)
    house.attempt(failed, 1, "failed", traceback="Traceback: there")
    house.add("completed", class_name="shop.jobs.Fine")

    page = house.page("/failures")

    assert "boom" in page
    assert "Traceback: there" in page
    assert f"/background-jobs/{failed}/logs?attempt=1" in page
    assert "Fine" not in page


def test_nothing_failed_is_good_news(house: House) -> None:
    """An empty failed-log view says what it is for."""
    assert "Nothing has failed" in house.page("/failures")
    assert "No job matches" in house.page("/failures?q=x")


def test_launchers_are_alive_or_silent(house: House) -> None:
    """Who could run jobs, and who is believed to be dead, can be told apart."""
    assert "No launcher has been started yet" in house.page("/launchers")

    house.launcher()
    house.launcher("the-other", silent_seconds=60)
    page = house.page("/launchers")

    assert (1, 1) == (page.count(">alive<"), page.count(">silent<"))
