"""The lines of the log files: one event, one line, one form."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runner.joblog import _line
from app.runner.logs import attempt_log_path, line
from app.runner.store import Claimed, Finish

AT = dt.datetime(2024, 11, 12, 17, 31, 26, 999_999, tzinfo=dt.UTC)
FORM = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] local\.(INFO|WARNING|ERROR): .* (\{.*\})\n")


def test_a_line_has_the_form_that_readers_know() -> None:
    """Time, level, message and context stand where they always did, to the letter."""
    context = {"assignment": 1, "course": "Data Structures", "score": 48, "user": "StudentF StudentL"}

    assert (
        "[2024-11-12 17:31:26] local.INFO: Assignment graded "
        '{"assignment":1,"course":"Data Structures","score":48,"user":"StudentF StudentL"}\n'
    ) == line("INFO", "Assignment graded", context, at=AT)


@given(message=st.text(), key=st.text(), value=st.text())
def test_a_line_is_one_line_whatever_it_is_about(message: str, key: str, value: str) -> None:
    """No text from outside ends a line, begins another, moves a cursor or turns the direction of reading."""
    text = line("ERROR", message, {key: value}, at=AT)

    assert FORM.fullmatch(text)
    assert [text] == text.splitlines(keepends=True)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(each) for each in text[:-1]}
    text.encode()


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("\n", "\\u000a"),
        ("\r\n", "\\u000d\\u000a"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\x00", "\\u0000"),
        ("\x7f", "\\u007f"),
        ("\x85", "\\u0085"),
        ("\u2028", "\\u2028"),
        ("\u202e", "\\u202e"),
        ("\u2066", "\\u2066"),
        ("\ud800", "\\ud800"),
        ("ü 日本 😀", "ü 日本 😀"),
    ],
)
def test_control_characters_are_shown_as_what_they_are(raw: str, escaped: str) -> None:
    """They are escaped in messages; in the context the JSON still reads back as it was."""
    text = line("INFO", f"a{raw}b", {"c": raw}, at=AT)

    assert f"a{escaped}b " in text
    assert raw == json.loads(text.partition(f"a{escaped}b ")[2])["c"]


def test_a_value_that_json_does_not_know_is_written_as_text() -> None:
    """A log line is never the reason for an error."""
    text = line("INFO", "m", {"at": AT, "path": Path("a/b")}, at=AT)

    assert '{"at":"2024-11-12 17:31:26.999999+00:00","path":"a/b"}' in text


def test_without_a_time_it_is_now_in_utc() -> None:
    """Lines of all machines sort together."""
    stamp = line("INFO", "m", {})[1:20]

    assert abs(dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(f"{stamp}+00:00")).total_seconds() < 60


def claimed(**values: Any) -> Claimed:
    """Give the first attempt of a job with a secret."""
    known: dict[str, Any] = {
        "class_name": "app.academic.jobs.AutomatedGradingJob",
        "method": "handle",
        "parameters": "[1]",
    }
    known |= {"shown_parameters": "[1]"} | values
    numbers: dict[str, Any] = {"attempts_used": 1, "max_attempts": 2, "crashes": 0, "timeout_seconds": None}
    return Claimed(job_id=1, attempt=1, priority=1, **known, **numbers)


@pytest.mark.parametrize(
    ("end", "file", "said", "context"),
    [
        ("completed", "jobs", "INFO: Job 1 completed", '"result":null,"status":"completed"'),
        ("failed", "jobs_errors", "ERROR: Job 1 failed", '"error":"E: broke","status":"failed"'),
        ("cancelled", "jobs", "INFO: Job 1 cancelled", '"error":"E: broke","status":"cancelled"'),
        ("pending retrying", "jobs", "INFO: Job 1 retrying", '"error":"E: broke","status":"pending"'),
        ("pending timed_out", "jobs", "INFO: Job 1 retrying", '"error":"E: broke","status":"pending"'),
        ("pending interrupted", "jobs", "INFO: Job 1 interrupted", '"error":"E: broke","status":"pending"'),
        ("pending crashed", "jobs", "INFO: Job 1 crashed", '"error":"E: broke","status":"pending"'),
        ("failed crashed", "jobs_errors", "ERROR: Job 1 failed", '"error":"E: broke","status":"failed"'),
    ],
)
def test_every_end_of_an_attempt_has_its_line(end: str, file: str, said: str, context: str) -> None:
    """Failures stand in the file of errors, all else in the file of jobs, each to the letter."""
    status, _, outcome = end.partition(" ")
    error = None if status == "completed" else "E: broke"
    finish = Finish(
        job_id=1, attempt=1, finished_at=AT, status=status, outcome=outcome or status, error=error
    )

    name, text = _line(finish, claimed())

    job = "app.academic.jobs.AutomatedGradingJob@handle"
    assert f"background_{file}.log" == name
    assert f'[2024-11-12 17:31:26] local.{said}: {job} {{"parameters":"[1]",{context}}}\n' == text


def test_the_result_stands_in_the_line_as_json() -> None:
    """A program that reads the log gets the result as data, not as a text about it."""
    values: dict[str, Any] = {"status": "completed", "outcome": "completed", "result": '{"score": 48}'}

    _, text = _line(Finish(job_id=1, attempt=1, finished_at=AT, **values), claimed())

    assert text.endswith('{"parameters":"[1]","result":{"score":48},"status":"completed"}\n')


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_line_shows_no_secret(status: str) -> None:
    """Of the parameters it has what people may see, never what the handler got."""
    finish = Finish(job_id=1, attempt=1, finished_at=AT, status=status, outcome=status)

    _, text = _line(finish, claimed(parameters='["ada", "hunter2"]', shown_parameters='["ada", "***"]'))

    assert "hunter2" not in text
    assert "***" in text


@pytest.mark.parametrize(
    ("job", "number", "name"),
    [
        (1, 1, "jobs/000000/1.1.log"),
        (999, 12, "jobs/000000/999.12.log"),
        (1000, 1, "jobs/000001/1000.1.log"),
        (123_456_789, 3, "jobs/123456/123456789.3.log"),
    ],
)
def test_each_attempt_has_a_log_of_its_own(job: int, number: int, name: str) -> None:
    """No two attempts share a file, and a folder holds those of a thousand jobs."""
    assert Path("logs") / name == attempt_log_path(Path("logs"), job, number)
