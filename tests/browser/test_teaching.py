"""An instructor's day in a browser: a grade changed by hand, all graded once more, two attempts compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.launching import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOLUTIONS = Path(ROOT) / "app/academic/demo/data/linked-list/solutions"
# Real grading of several submissions, on a machine that may be busy.
PATIENCE = 60_000


def test_a_score_is_changed_and_all_is_graded_once_more(visit: Callable[..., Page]) -> None:
    """The gradebook leads to the grade; a regrade runs, is looked at and published; the student reads why."""
    staff = visit("instructor")
    staff.get_by_role("link", name="CS 3303 Data Structures").click()
    staff.get_by_role("link", name="Gradebook").click()
    row = staff.get_by_role("row", name=re.compile("other@example.com"))
    expect(row).to_be_visible()
    row.locator("a.mark").first.click()
    staff.get_by_label("Score, of").fill("12.5")
    staff.get_by_label("Reason").fill("Asked in the exercise class")
    staff.get_by_role("button", name="Change the grade").click()
    expect(staff.get_by_text("Changed by staff to 12.5")).to_be_visible()

    staff.get_by_role("link", name="Linked list").click()
    staff.get_by_role("link", name="Grading", exact=True).click()
    staff.get_by_role("button", name="Regrade all").click()
    publish = staff.get_by_role("button", name="Publish")
    expect(publish).to_be_visible(timeout=PATIENCE)
    publish.click()
    staff.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(staff.get_by_text(re.compile("Published: [0-9]+ grades are changed"))).to_be_visible()

    student = visit("other")
    expect(student.get_by_text("12.5")).to_be_visible()
    student.get_by_role("link", name="Linked list").click()
    expect(student.get_by_text("Asked in the exercise class")).to_be_visible()


def test_a_pause_is_seen_and_ended(visit: Callable[..., Page]) -> None:
    """While grading is paused staff and students read so; the banner's button ends it."""
    staff = visit("instructor")
    staff.get_by_role("link", name="CS 3303 Data Structures").click()
    staff.get_by_role("link", name="Linked list").first.click()
    staff.get_by_role("link", name="Grading", exact=True).click()
    staff.get_by_label("Why, for other staff").fill("The tests are being mended")
    staff.get_by_role("button", name="Pause grading").click()
    expect(staff.get_by_text("The tests are being mended")).to_be_visible()

    student = visit("student")
    student.get_by_role("link", name="Linked list").first.click()
    expect(student.get_by_text("Grading is paused.")).to_be_visible()

    staff.get_by_role("button", name="Resume grading").click()
    expect(staff.get_by_text("Grading goes on.")).to_be_visible()


def test_a_student_compares_two_attempts(visit: Callable[..., Page]) -> None:
    """After two hand-ins the list of attempts leads to what changed between them."""
    student = visit("student")
    student.get_by_role("link", name="Linked list").first.click()
    for name in ("sentinel", "recursive"):
        source = (SOLUTIONS / f"{name}.py").read_bytes()
        student.locator("input[type=file]").set_input_files(
            {"name": "linked_list.py", "mimeType": "text/x-python", "buffer": source}
        )
        student.get_by_role("button", name="Hand in").click()
        expect(student.get_by_text("Received. It is stored")).to_be_visible()
        student.get_by_role("link", name="Hand in again").click()
    student.get_by_role("link", name="changes").first.click()
    expect(
        student.get_by_role("heading", name=re.compile("Attempt [0-9]+ and attempt [0-9]+"))
    ).to_be_visible()
    expect(student.locator(".diff .is-added").first).to_be_visible()
