"""Dependent jobs, batches and snoozing with a real launcher and real processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.launching import House

HANDLERS = """
class Parts:
    def part(self, number):
        if number == 13:
            raise ValueError("unlucky")
        return number

    def summary(self):
        from app.runner import current_job, job_ancestors
        outcomes = job_ancestors(current_job.id)
        return {"sum": sum(each.result or 0 for each in outcomes), "ends": [each.status for each in outcomes]}

    def later(self):
        from app.runner import Snooze, current_job
        if current_job.attempt < 4:
            raise Snooze(0)
        return current_job.attempt
"""
BATCH = """
from house import application
from app.runner import run_background_batch, run_background_job
with application.app_context():
    parts = [{"cls": "parts.Parts", "method": "part", "parameters": [n], "retries": 0} for n in (1, 2, 13)]
    batch = run_background_batch(parts, callback={"cls": "parts.Parts", "method": "summary"})
    last = run_background_job("parts.Parts", "part", [4], after=[batch.callback])
    run_background_job("parts.Parts", "part", [5], after=[batch.jobs[2], last])
    run_background_job("parts.Parts", "later", retries=0)
"""


@pytest.mark.parametrize("reuse", ["1", "100"])
def test_jobs_run_after_each_other_and_call_back(house: House, reuse: str) -> None:
    """A batch, what waits for its callback, what a failure cancels, what snoozes: all come to their end."""
    (house.folder / "parts.py").write_text(HANDLERS, encoding="utf-8")
    house.environment["FLASK_RUNNER_APPROVED"] = json.dumps({"parts.Parts": ["part", "summary", "later"]})
    house.environment["FLASK_RUNNER_JOBS_PER_PROCESS"] = reuse
    house.python("-c", BATCH)

    house.flask("work", "--drain")

    ends = [(house.job(number)["status"], house.job(number)["result"]) for number in range(1, 8)]
    assert [
        ("completed", "1"),
        ("completed", "2"),
        ("failed", None),
        ("completed", '{"sum": 3, "ends": ["completed", "completed", "failed"]}'),
        ("completed", "4"),
        ("cancelled", None),
        ("completed", "4"),
    ] == ends
    shown = json.loads(house.flask("show", "4", "--json").stdout)
    assert {"sum": 3, "ends": ["completed", "completed", "failed"]} == json.loads(shown["result"])
    order = "SELECT job_id FROM background_job_attempts WHERE job_id IN (4, 5) ORDER BY started_at, id"
    assert [(4,), (5,)] == house.rows(order)
    outcomes = "SELECT outcome FROM background_job_attempts WHERE job_id = 7 ORDER BY number"
    assert [("snoozed",), ("snoozed",), ("snoozed",), ("completed",)] == house.rows(outcomes)
