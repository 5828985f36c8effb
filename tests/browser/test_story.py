"""The story of the product, in a real browser: a student hands in, an admin watches and acts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, expect

from tests.launching import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    Visit = Callable[..., Page]

SOLUTION = ROOT / "app/academic/demo/data/linked-list/solutions/sentinel.py"
A_MINUTE = 60_000


def test_a_student_hands_in_and_four_jobs_complete_while_the_page_stays_open(visit: Visit) -> None:
    """Received at once; without a reload four jobs complete; the mail is there, the copy flagged."""
    page = visit("student")
    page.get_by_role("link", name="Linked list").first.click()
    copied = SOLUTION.read_text(encoding="utf-8").replace("self._head", "self._front")
    work = {"name": "my_work.py", "mimeType": "text/x-python", "buffer": copied.encode()}
    page.get_by_label("Python file").set_input_files(work)  # type: ignore[arg-type]
    page.get_by_role("button", name="Hand in").click()

    expect(page.get_by_text("Received. It is stored")).to_be_visible()
    expect(page.locator(".facts code").first).to_have_text(re.compile(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$"))
    page.evaluate("window.isTheSamePage = true")
    for kind in ("grading", "notification", "similarity", "analytics"):
        expect(page.locator(f"#step-{kind} .badge")).to_have_class(
            re.compile("is-completed"), timeout=A_MINUTE
        )

    expect(page.get_by_text("All is done.")).to_be_visible()
    expect(page.get_by_text(re.compile("of 80 points"))).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    assert page.locator("#live-poll").count() == 0, "a finished page asks no more"
    _the_receipt_is_in_the_outbox(visit)
    _the_copy_is_flagged(visit)


def _the_receipt_is_in_the_outbox(visit: Visit) -> None:
    admin = visit("admin")
    admin.goto("/admin/outbox")
    expect(admin.get_by_text("student@example.com").first).to_be_visible()


def _the_copy_is_flagged(visit: Visit) -> None:
    instructor = visit("instructor")
    instructor.get_by_role("link", name="Data Structures").first.click()
    instructor.get_by_role("link", name="Linked list").first.click()
    instructor.get_by_role("link", name="Similarity").first.click()
    expect(instructor.get_by_text(re.compile("similarity, not proof", re.IGNORECASE)).first).to_be_visible()
    score = instructor.locator("#pairs td[data-label=Similarity]").first
    assert int(re.findall(r"\d+", score.inner_text())[0]) >= 50
    instructor.locator("#pairs tbody th a").first.click()
    expect(instructor.get_by_role("heading", name="Other Example and Student Example")).to_be_visible()
    expect(instructor.get_by_text(re.compile("names changed|identical")).first).to_be_visible()


def test_the_admin_acts_on_jobs_and_sees_them_change(visit: Visit, site: Any) -> None:
    """Start a delayed job early, cancel a running one, retry a failed one, read its log: all live."""
    late = site.enqueue("linger", 0.2, delay=3600)
    page = visit("admin")
    page.goto("/background-jobs")
    row = page.locator(f"#job-row-{late}")
    expect(row.locator(".badge")).to_have_text("scheduled")
    row.get_by_role("button", name="Start now").click()
    expect(row.locator(".badge")).to_have_text("completed")

    long = site.enqueue("linger", 120)
    row = page.locator(f"#job-row-{long}")
    expect(row.locator(".badge")).to_have_text("running")
    expect(row.locator("progress")).to_be_visible()
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(row.locator(".badge")).to_have_text("cancelled")
    expect(row).to_contain_text("ended by SIGTERM")

    file = site.folder / "wanted"
    failing = site.enqueue("need", str(file))
    row = page.locator(f"#job-row-{failing}")
    expect(row.locator(".badge")).to_have_text("failed")
    file.write_text("here it is", encoding="utf-8")
    row.get_by_role("button", name="Retry").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(row.locator(".badge")).to_have_text("completed")

    row.get_by_role("link", name=str(failing), exact=True).click()
    expect(page.get_by_text("looking for it").first).to_be_visible()
    expect(page.get_by_text(re.compile("Retried")).first).to_be_visible()
    expect(page.get_by_text("FileNotFoundError").first).to_be_visible()


def test_a_log_grows_on_the_page_while_its_job_runs(visit: Visit, site: Any) -> None:
    """The job's page shows what it prints as it prints it, and stops asking when it has ended."""
    job = site.enqueue("linger", 6)
    page = visit("admin")
    page.goto(f"/background-jobs/{job}")

    expect(page.get_by_text(re.compile(r"line 3\b")).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"line 59\b")).first).to_be_visible(timeout=A_MINUTE)

    expect(page.locator("#job .badge").first).to_have_text("completed")
    assert page.locator("#job[hx-trigger]").count() == 0


def test_selection_focus_and_scroll_survive_polls(visit: Visit, site: Any) -> None:
    """What a person is doing on the list is not undone by its renewal every two seconds."""
    jobs = [site.enqueue("linger", 0.1, delay=3600) for _ in range(3)]
    page = visit("admin", viewport={"width": 1000, "height": 300})
    page.goto("/background-jobs")
    box = page.locator(f"#job-row-{jobs[0]}").get_by_role("checkbox")
    box.check()
    box.focus()
    page.evaluate("window.scrollTo(0, 120)")

    later = site.enqueue("linger", 0.1, delay=3600)
    expect(page.locator(f"#job-row-{later}")).to_be_visible()

    expect(box).to_be_checked()
    assert page.evaluate("document.activeElement.value") == str(jobs[0])
    assert page.evaluate("window.scrollY") == 120


def test_a_list_that_has_not_changed_is_not_sent_again(visit: Visit) -> None:
    """The poll of an unchanged list is answered with 304, twice in a row."""
    page = visit("admin")
    page.goto("/background-jobs?status=failed")

    for _ in range(2):
        with page.expect_response(lambda answer: answer.status == 304) as unchanged:
            pass
        assert "/background-jobs" in unchanged.value.url


def test_only_the_admin_sees_the_dashboard(visit: Visit) -> None:
    """A student is refused; whoever is not signed in is sent to sign in, and back afterwards."""
    student = visit("student")
    refused = student.goto("/background-jobs")
    assert refused is not None
    assert refused.status == 403

    nobody = visit()
    nobody.goto("/background-jobs?status=failed")
    expect(nobody.get_by_role("heading", name="Sign in")).to_be_visible()
    nobody.get_by_label("E-mail").fill("admin@example.com")
    nobody.get_by_label("Password").fill("a password for stories")
    nobody.get_by_role("button", name="Sign in").click()
    nobody.wait_for_url("**/background-jobs?status=failed")
